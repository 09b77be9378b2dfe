"""What the embedded networks take on this machine, and what 8 bits make of them; all ratios side by side in one run.

Every pair is timed in turn, block by block, in CPU seconds of one thread, medians; see `reelwise.probe.speed`. The networks are those
that `reelwise models install person-segmentation` puts into the cache; where they are missing they are installed first. The clip is
the portrait that `reelwise.portrait` draws: the person's true outline is known in it.

- general, landscape: one 720p frame to a mask; landscape against general.
- people: a look for people with both networks (`scan --method person`, `crop: detector: person`).
- quantize: 8 bits against 32, both networks, and a drawn network of dense convolutions.
- ways: frames a second at batch 1 and 8, one stream and as many as cores.
- cold: from the start of a process to the first mask.
- scan_person: CPU seconds of `scan --method person` over those of decoding and measuring every picture.
- truth: IoU of each network with the drawn person's outline.
- marked: of 16 pictures of each clip that is named, those in which a network (or both together) marks half a percent as a person.

    python bench/models.py [--json] [--quick] [CLIP...]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import onnx

from reelwise.models import People, PersonSegmentation, install_person_segmentation, model_path
from reelwise.models.bench import cold_start, measure
from reelwise.models.targets import target_of
from reelwise.portrait import cut_portrait, portrait_clip, portrait_file, portrait_frames
from reelwise.probe import footage_of, likeness_of, probe_quantize, side_by_side
from reelwise.scan import scan
from reelwise.video import pictures, probe, track

SIZE = (1280, 720)
VARIANTS = ("general", "landscape")
PICTURES = 16


def dense_network(path: Path, *, width: int = 64, depth: int = 6, side: int = 128) -> Path:
    """Draw a network of dense 3x3 convolutions: what 8 bits are said to be good for. Its weights are random."""
    draw = np.random.default_rng(1)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes, kept, last, inside = [], [], "picture", 3
    for number in range(depth):
        out = 1 if number == depth - 1 else width
        weights = draw.normal(0, np.sqrt(2 / (9 * inside)), (out, inside, 3, 3)).astype(np.float32)
        kept.append(onnx.numpy_helper.from_array(weights, f"w{number}"))
        nodes.append(helper.make_node("Conv", [last, f"w{number}"], [f"c{number}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu" if out > 1 else "Sigmoid", [f"c{number}"], [f"r{number}"]))
        last, inside = f"r{number}", out
    ends = [
        helper.make_tensor_value_info("picture", kind, ["batch", 3, side, side]),
        helper.make_tensor_value_info(last, kind, ["batch", 1, side, side]),
    ]
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))
    return path


class Looks:
    """A look for people as a model: calling it returns where both networks see one."""

    name = "people"

    def __init__(self) -> None:
        self._people = People()

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the places, bool."""
        return self._people.mask(frame)


def quantized(networks: dict[str, Path], clip: Path, seconds: float) -> dict:
    footage = footage_of([clip], frames=120)
    found = {}
    for name, path in networks.items():
        made = probe_quantize(path, footage, name=name, seconds=seconds)
        found[name] = {
            "verdict": msgspec.to_builtins(made.verdict),
            "bytes_before": made.bytes_before,
            "bytes_after": made.bytes_after,
        }
    return found


def scanned(clip: Path) -> dict:
    found = {}
    full = sum(value for step, value in track(clip, audio=False).cpu_seconds.items() if step != "audio")
    for mode in ("coarse", "exact"):
        result = scan(clip, method="person", mode=mode)
        found[mode] = {
            "cpu_share": round(result.cpu_seconds / full, 3),
            "realtime_factor": result.realtime_factor,
            "events": len(result.events),
        }
    return found


def true_outline(models: dict[str, PersonSegmentation]) -> dict:
    frames, truth = zip(*portrait_frames(cut_portrait(portrait_file()), 20, width=640, height=360, fps=4), strict=True)
    return {
        name: msgspec.to_builtins(likeness_of([model(frame) for frame in frames], truth))
        for name, model in models.items()
    }


def marked(clips: list[Path]) -> dict:
    alone = {name: PersonSegmentation(name) for name in VARIANTS}
    finders = {name: People(networks=(model, model)) for name, model in alone.items()}
    finders["both"] = People(networks=(alone["landscape"], alone["general"]))
    found = {}
    for clip in clips:
        seconds = probe(clip).seconds or 1.0
        shown = pictures(clip, [seconds * number / PICTURES for number in range(PICTURES)], long_side=320)
        found[clip.name] = {name: sum(bool(people(one)) for _, one in shown) for name, people in finders.items()}
    return found


def run(*, quick: bool, clips: list[Path]) -> dict:
    seconds = 1.0 if quick else 6.0
    install_person_segmentation()
    models = {name: PersonSegmentation(name) for name in VARIANTS}
    draw = np.random.default_rng(2)
    frames = [draw.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8) for _ in range(4)]
    with tempfile.TemporaryDirectory(prefix="reelwise-") as folder:
        clip = portrait_clip(Path(folder) / "portrait.mp4", 20)
        seen = [frame for frame, _ in portrait_frames(cut_portrait(portrait_file()), 9, fps=1)]
        networks = {name: model_path(name) for name in VARIANTS}
        networks["dense"] = dense_network(Path(folder) / "dense.onnx")
        cores = sorted({1, os.cpu_count() or 1})
        return {
            "cores": os.cpu_count(),
            "landscape_against_general": msgspec.to_builtins(
                side_by_side(models["general"], models["landscape"], frames, seconds=seconds)
            ),
            "look_against_general": msgspec.to_builtins(
                side_by_side(models["general"], Looks(), seen, seconds=seconds)
            ),
            "quantize": quantized(networks, clip, seconds),
            "ways": {
                name: [
                    msgspec.to_builtins(
                        measure(
                            target_of(f"person-segmentation:{name}", size=SIZE),
                            batch=batch,
                            streams=streams,
                            seconds=seconds / 2,
                        )
                    )
                    for batch in (1, 8)
                    for streams in cores
                ]
                for name in VARIANTS
            },
            "cold": {
                name: msgspec.to_builtins(cold_start(f"person-segmentation:{name}", size=SIZE)) for name in VARIANTS
            },
            "scan_person": scanned(clip),
            "truth": true_outline(models),
            "marked": marked(clips),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, with more spread")
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    options = parser.parse_args()
    found = run(quick=options.quick, clips=options.clips)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
