"""`reelwise bench-model`: how many frames a second a model or an endpoint does, and how soon it answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.bench_text import show_endpoint, show_local
from reelwise.cli.headers import read_headers
from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, note, print_json

if TYPE_CHECKING:
    from reelwise.models.connection import Endpoint
    from reelwise.models.latencies import Rate

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)
_SECONDS_LOCAL, _SECONDS_ENDPOINT = 3.0, 10.0
_FRAMES_OF_CLIP = 8
_BODY_MAX = 16_000_000


@click.command()
@click.argument("model")
@click.option("--host", help="Write what was measured as the speed of this fleet of your plan's hosts.")
@click.option(
    "--evidence",
    type=_FILE,
    default=EVIDENCE,
    show_default=True,
    help="Folder of measured facts that --host writes to.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), help="How long each way is measured.  [default: 3; endpoints: 10]"
)
@click.option(
    "--p95-ms",
    type=click.FloatRange(min=0, min_open=True),
    help="Only speeds count at which 95 % of the answers come this soon.",
)
@click.option("--size", default="1280x720", show_default=True, help="Of the frames.")
@click.option("--batch", default="1,8", show_default=True, help="Pictures of one call. Not for endpoints.")
@click.option(
    "--streams", help="Threads that call at once, each with a model of its own.  [default: 1 and as many as cores]"
)
@click.option(
    "--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Cores that one call may use."
)
@click.option("--shape", help="Of an ONNX network's input, where it leaves it open: 1,3,256,256.")
@click.option(
    "--rate",
    "rates",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    help="Requests a second that an endpoint must answer; several are tried in turn.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.01, 600),
    default=10.0,
    show_default=True,
    help="Seconds that a request waits for a connection at most, and then for its answer.",
)
@click.option(
    "--cold-timeout",
    type=click.FloatRange(0.01, 3600),
    default=120.0,
    show_default=True,
    help="Likewise, for the very first.",
)
@click.option("--in-flight", type=click.IntRange(1, 1024), default=256, show_default=True, help="Connections at most.")
@click.option(
    "--frames-per-call",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="Frames that one request holds.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="Sent to the endpoint, shown and kept nowhere; $VARIABLE takes it from the environment.",
)
@click.option("--body", type=_FILE, help="What is sent.  [default: a frame as JPEG]")
@click.option("--clip", type=_FILE, help="Send frames of this clip as JPEG, in turn.")
@click.option("--content-type", help="Of what is sent.  [default: image/jpeg; of --body: application/octet-stream]")
@click.option("--method", type=click.Choice(("POST", "PUT", "GET")), default="POST", show_default=True)
@click.option("--metrics", help="A page of metrics (Prometheus' text format) of the endpoint's machine.")
@click.option("--metric", help="The gauge on it that says how busy the machine is.")
@json_option
def cli(model: str, *, host: str | None, evidence: Path, seconds: float | None, as_json: bool, **options: Any) -> None:
    """Measure MODEL and say how many frames a second one machine does.

    MODEL is person-segmentation[:landscape], a .onnx file, "module:function" (called with RGB arrays), or the address of an
    endpoint, http(s)://..., which is driven at each --rate whatever it makes of it.
    """
    from reelwise.errors import InputError

    if host is not None and (not host.strip() or len(host) > 80):
        raise InputError("no name of a host", where="--host", hint="as the plan has it: hosts: [{name: cutout, ...}]")
    if model.startswith(("http://", "https://")):
        found, rate, source, on = _endpoint(model, seconds or _SECONDS_ENDPOINT, **options)
    else:
        if options["rates"]:
            raise InputError(
                "a rate is for endpoints", where="--rate", hint="leave it out: a model here goes as fast as it can"
            )
        found, rate, source, on = _local(model, seconds or _SECONDS_LOCAL, **options)
    found["fact"], found["written"] = None, None
    if rate is None:
        note("no speed to write down: see why above" if host is not None else "no speed counts: see why above")
    elif host is not None:
        import msgspec

        from reelwise.measured import host_entry, keep

        entry = host_entry(host, (rate.value, rate.low, rate.high), source=source, on=on)
        path = keep(evidence, [entry], seconds=found["seconds_measured"])
        found["fact"], found["written"] = msgspec.to_builtins(entry), str(path)
    if as_json:
        print_json(found)
        return
    (show_endpoint if model.startswith("http") else show_local)(found)
    if found["written"]:
        click.echo(
            f"host.{host}.frames_per_second: written to {found['written']}; prices with --evidence {evidence} use it"
        )


def _local(
    model: str, seconds: float, *, size: str, batch: str, streams: str | None, threads: int, shape: str | None,
    p95_ms: float | None, **_: Any,
) -> tuple[dict[str, Any], Rate | None, str, str]:  # fmt: skip
    import msgspec

    from reelwise.errors import InputError
    from reelwise.evidence_store import machine
    from reelwise.models.bench import best_of, cold_start, measure
    from reelwise.models.targets import target_of

    pixels = _size(size)
    form = None if shape is None else tuple(_numbers(shape, "--shape"))
    is_function = ":" in model and not model.startswith("person-segmentation")
    cores = os.cpu_count() or 1
    many = _numbers(streams, "--streams") if streams else [1] if is_function or cores == 1 else [1, cores]
    target = target_of(model, size=pixels, shape=form)
    note(f"measuring {target.name} on {machine()}: {target.takes}")
    cold = cold_start(model, size=pixels, shape=form, threads=threads)
    runs, skipped = [], []
    for number in _numbers(batch, "--batch"):
        try:
            runs += [measure(target, batch=number, streams=one, threads=threads, seconds=seconds) for one in many]
        except InputError as error:
            if "at once" not in error.message and "takes 1 frame" not in error.message:
                raise
            skipped.append((number, error.message))
    if not runs:
        raise InputError(skipped[0][1], where="--batch", hint="give a batch that it takes")
    best = best_of(runs, p95_ms)
    found = {
        "model": target.name, "kind": "local", "machine": machine(), "takes": target.takes,
        "cold": msgspec.to_builtins(cold), "runs": msgspec.to_builtins(runs), "skipped": [{"batch": number, "why": why} for number, why in skipped],
        "best": None if best is None else runs.index(best), "p95_ms": p95_ms,
        "seconds_measured": round(sum(one.seconds for one in runs), 3),
    }  # fmt: skip
    if best is None:
        return found, None, "", ""
    how = f"batch {best.batch}, streams: {best.streams}, threads each: {best.threads}"
    return found, best.frames_per_second, f"reelwise bench-model {target.name}: {how}, {target.takes}", machine()


def _endpoint(
    url: str, seconds: float, *, rates: tuple[float, ...], p95_ms: float | None, timeout: float, cold_timeout: float,
    in_flight: int, frames_per_call: int, metrics: str | None, metric: str | None, **options: Any,
) -> tuple[dict[str, Any], Rate | None, str, str]:  # fmt: skip
    import msgspec

    from reelwise.errors import InputError
    from reelwise.models.connection import Connection, endpoint_of
    from reelwise.models.gauges import Gauges
    from reelwise.models.load import drive

    if not rates:
        raise InputError(
            "an endpoint is driven at a rate", where="--rate", hint="--rate 30: requests a second it must answer"
        )
    if (metrics is None) != (metric is None):
        raise InputError(
            "a page and the name of a gauge go together", where="--metrics", hint="--metrics URL --metric NAME"
        )
    endpoint, bodies = _asked(url, **options)
    page = endpoint_of(metrics, method="GET") if metrics is not None else None
    note(f"the first request to {endpoint.url}")
    connection = Connection(endpoint)
    cold = connection.first(bodies[0], cold_timeout)
    warm = connection.first(bodies[0], timeout)
    connection.close()
    loads = []
    for rate in sorted(rates):
        note(f"driving it at {rate:g} requests a second for {seconds:g} s")
        gauges = Gauges(nvidia=endpoint.is_here, metrics=page, metric=metric or "")
        loads.append(
            drive(
                endpoint, bodies, rate=rate, seconds=seconds, timeout=timeout, in_flight=in_flight, frames=frames_per_call,
                gauges=gauges,
            )
        )  # fmt: skip
    able = [
        one
        for one in loads
        if not one.client_limit and (p95_ms is None or (one.latency.latency_ms_p95 or float("inf")) <= p95_ms)
    ]
    kept = [one for one in able if one.kept_up]
    # what it could not keep up with says what it can do, unless a latency is asked for: then only what it kept counts
    best = max(kept or ([] if p95_ms else able), key=lambda one: one.frames_per_second.value, default=None)
    if best is not None and best.frames_per_second.value <= 0:
        best = None
    found = {
        "model": endpoint.url, "kind": "endpoint", "machine": endpoint.host, "bytes_sent": [len(one) for one in bodies],
        "first_answer_seconds": round(cold, 4), "second_answer_seconds": round(warm, 4),
        "loads": msgspec.to_builtins(loads), "best": None if best is None else loads.index(best), "p95_ms": p95_ms,
        "seconds_measured": round(sum(one.seconds for one in loads), 3),
    }  # fmt: skip
    if best is None:
        return found, None, "", ""
    how = "kept up with" if best.kept_up else "did not keep up with"
    source = f"reelwise bench-model {endpoint.url}: {how} {best.rate_required:g} requests a second, open loop"
    return found, best.frames_per_second, source, endpoint.host


def _asked(
    url: str, *, headers: tuple[str, ...], body: Path | None, clip: Path | None, content_type: str | None, method: str,
    size: str, **_: Any,
) -> tuple[Endpoint, list[bytes]]:  # fmt: skip
    from reelwise.errors import InputError
    from reelwise.models.connection import endpoint_of

    named = read_headers(headers)
    if body is not None and clip is not None:
        raise InputError("a body and a clip", where="--body", hint="give one of them")
    if method != "GET" and not any(name.lower() == "content-type" for name in named):
        named["Content-Type"] = content_type or ("image/jpeg" if body is None else "application/octet-stream")
    endpoint = endpoint_of(url, named, method)
    if method == "GET":
        return endpoint, [b""]
    if body is not None:
        return endpoint, [_read(body)]
    return endpoint, _frames(clip, _size(size))


def _read(path: Path) -> bytes:
    from reelwise.errors import InputError

    try:
        with path.open("rb") as file:
            raw = file.read(_BODY_MAX + 1)
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(path), hint="check the path") from None
    if len(raw) > _BODY_MAX:
        raise InputError(f"larger than {_BODY_MAX:,} bytes", where=str(path), hint="send less")
    return raw


def _frames(clip: Path | None, size: tuple[int, int]) -> list[bytes]:
    """Return frames as JPEG: some spread over a clip, or one that is drawn."""
    import numpy as np

    from reelwise import video

    if clip is None:
        width, height = size
        down, across = np.mgrid[0:height, 0:width]
        grain = np.random.default_rng(5).integers(0, 24, (height, width))
        drawn = np.stack(
            [across * 200 // width + grain, down * 200 // height + grain, 200 - across * 180 // width + grain], 2
        )
        return [video.jpeg(drawn.astype(np.uint8))]
    seconds = video.probe(clip).seconds or 1.0
    times = [seconds * (index + 0.5) / _FRAMES_OF_CLIP for index in range(_FRAMES_OF_CLIP)]
    return [video.jpeg(picture) for _, picture in video.pictures(clip, times, long_side=max(size))]


def _size(text: str) -> tuple[int, int]:
    from reelwise.errors import InputError

    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 2 <= int(width) <= 16_384 and 2 <= int(height) <= 16_384):
        raise InputError(f"not a size: {text!r:.40}", where="--size", hint="1280x720")
    return int(width), int(height)


def _numbers(text: str, option: str) -> list[int]:
    from reelwise.errors import InputError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= 1_000_000 for part in parts) or len(parts) > 16:
        raise InputError(f"not whole numbers: {text!r:.40}", where=option, hint="1,8")
    return [int(part) for part in parts]
