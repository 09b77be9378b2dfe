# Two words to know: `make demo` and `make test`. Both set everything up in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: install demo demo-live test lint bench nightly smoke-live wheel clean
.DELETE_ON_ERROR:

install: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev -e '.[all]'
	touch $@

# CLIP=path audits your own file; without it, a clip that the project draws itself.
demo: $(READY)
	$(BIN)/reelwise audit $(if $(CLIP),"$(CLIP)",--demo) --out out/demo

# Background blur with a tenth of the inferences: your webcam, CLIP=path, or a drawn clip of a person.
demo-live: $(READY)
	$(BIN)/reelwise models install person-segmentation
	$(BIN)/reelwise live $(if $(CLIP),"$(CLIP)",--demo --for 30) --price 0.001 --out out/live/live.mp4 --picture out/live/run.png

# Installs and starts a PostgreSQL server for the tests that need one, where it may (Debian, root); else they skip and say why.
test: $(READY)
	scripts/with_postgres $(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python bench/price.py --json
	if command -v ffmpeg >/dev/null; then $(BIN)/python bench/decode.py --json; else echo "no ffmpeg to compare with: bench/decode.py is left out"; fi
	$(BIN)/python bench/ledger.py --quick --json

# What takes longer: long fuzzing, the tests once more with examples of their own, full benches; results stay in bench/results with their day.
nightly: $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,train]' || echo "no PyTorch for processors alone on this index: its tests are skipped"
	$(BIN)/python -m pytest -m nightly -n 2
	REELWISE_SEARCH=1 scripts/with_postgres $(BIN)/python -m pytest
	$(BIN)/python bench/keep.py price
	if command -v ffmpeg >/dev/null; then $(BIN)/python bench/keep.py decode; else echo "no ffmpeg to compare with: bench/decode.py is left out"; fi
	$(BIN)/python bench/keep.py ledger
	$(BIN)/python bench/keep.py holds
	$(BIN)/python bench/keep.py models
	$(BIN)/python bench/keep.py live_engine
	if [ -d ../shared/clips ]; then $(BIN)/python bench/keep.py live && $(BIN)/python bench/live_publish.py; fi
	if [ -d ../shared/evals ]; then $(BIN)/reelwise models install text-encoder && encoder="--embedding text-encoder" || encoder=; $(BIN)/python bench/keep.py route $$encoder --nested && $(BIN)/python bench/keep.py cascade && $(BIN)/python bench/keep.py cache; fi
	$(BIN)/python bench/keep.py run
	$(BIN)/python bench/keep.py run_faults
	$(BIN)/python bench/keep.py run_memory
	$(BIN)/python bench/publish.py

# Calls the real model services whose keys are in the environment (0.05 dollars at most) and names those that are not.
smoke-live: $(READY)
	$(BIN)/python scripts/smoke_live.py

# The wheel, in an environment of its own: the demo must run from it with its data files.
wheel: $(READY)
	rm -rf dist build/wheel-env
	$(BIN)/python -m build --quiet --wheel
	$(PYTHON) -m venv build/wheel-env
	build/wheel-env/bin/python -m pip install --quiet -c constraints.txt dist/*.whl
	cd build && wheel-env/bin/reelwise audit --demo --out wheel-demo

clean:
	rm -rf $(VENV) dist build out .mypy_cache .ruff_cache .pytest_cache .hypothesis
