"""Open an ONNX network with onnxruntime (extra `live`), on the processor, with as many threads as one says."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["first_line", "foreign", "open_session", "runtime"]

_QUIET = 3  # errors only: what it warns of is nothing that a user could change


def runtime() -> Any:
    """Import onnxruntime; it sends nothing anywhere.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("running a network needs onnxruntime", hint="pip install 'reelwise[live]'") from None
    onnxruntime.disable_telemetry_events()
    return onnxruntime


@lru_cache(maxsize=1)
def foreign() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises: its own errors have no base but `Exception`."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)]
    return (*own, RuntimeError, TypeError, ValueError)


def first_line(error: Exception) -> str:
    """Return what a foreign error says, in one line."""
    said = str(error).strip().splitlines()
    return f"{said[0]:.200}" if said else type(error).__name__


def open_session(network: Path | bytes, *, threads: int = 1, where: str = "") -> Any:
    """Open a network.

    Args:
        network: an ONNX file or its bytes.
        threads: cores that one picture may use.
        where: what errors call it.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        InputError: not an ONNX network, or one that onnxruntime cannot run.
    """
    if threads < 1:
        raise InputError(f"{threads} threads", where=where, hint="give 1 or more")
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    try:
        return onnxruntime.InferenceSession(
            network if isinstance(network, bytes) else str(network), options, providers=["CPUExecutionProvider"]
        )
    except foreign() as error:
        raise InputError(
            f"onnxruntime cannot run it: {first_line(error)}", where=where, hint="name an ONNX file"
        ) from None
