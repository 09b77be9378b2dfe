"""Run a bench and keep its JSON with day and machine.

python bench/keep.py price [ARGUMENTS...]
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

from reelwise.evidence_store import machine

ROOT = Path(__file__).resolve().parent


def main() -> None:
    name, *arguments = sys.argv[1:]
    command = [sys.executable, str(ROOT / f"{name}.py"), "--json", *arguments]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    kept = {"day": dt.datetime.now(tz=dt.UTC).date().isoformat(), "on": machine(), "result": json.loads(answer)}
    (ROOT / "results").mkdir(exist_ok=True)
    (ROOT / "results" / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
