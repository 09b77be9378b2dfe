"""What can be measured on this machine: the embedded network, any ONNX network with one input, a function of the user's own."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from reelwise.errors import InputError
from reelwise.models.function import FOREIGN, FUNCTION, load_function
from reelwise.models.masks import MaskNetwork
from reelwise.models.session import first_line, foreign, open_session
from reelwise.models.shelf import MODEL, model_path

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Call", "Target", "target_of"]

Call = "Callable[[], Any]"
_HINT = f'{MODEL}, {MODEL}:landscape, a .onnx file, "module:function", or http(s)://...'
_TYPES: dict[str, Any] = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(float16)": np.float16}
_ELEMENTS_MAX = 500_000_000
_SEED = 5


class Target(Protocol):
    """Something that can be called over and over."""

    name: str
    takes: str

    def opened(self, batch: int, threads: int) -> Callable[[], Any]:
        """Open it anew and return a call of `batch` pictures, for one thread at a time.

        Raises:
            InputError: it cannot take so many at once, or fails.
        """


def target_of(model: str, *, size: tuple[int, int], shape: tuple[int, ...] | None = None) -> Target:
    """Return what is to be measured.

    Args:
        model: person-segmentation[:VARIANT], a .onnx file or "module:function".
        size: width and height of the frames.
        shape: of an ONNX network's input, where the network leaves more than its first axis open.

    Raises:
        InputError: none of these, or it cannot be used.
    """
    name, _, variant = model.partition(":")
    if name == MODEL:
        return _Person(variant or "general", size)
    if model.endswith(".onnx"):
        return _Network(Path(model), shape)
    if FUNCTION.fullmatch(model):
        return _Function(model, size)
    raise InputError(f"not a model: {model!r:.80}", where="MODEL", hint=_HINT)


def _frame(size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    width, height = size
    return np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), dtype=np.uint8)


class _Person:
    """The embedded network, from the frame to the mask."""

    def __init__(self, variant: str, size: tuple[int, int]) -> None:
        self.name = f"{MODEL}:{variant}"
        self.takes = f"frames of {size[0]}x{size[1]}, scaled to the network's size"
        self._path, self._size = model_path(variant), size

    def opened(self, batch: int, threads: int) -> Callable[[], Any]:
        model, frame = MaskNetwork(self._path, name=self.name, threads=threads), _frame(self._size)
        if batch == 1:
            return lambda: model(frame)
        session = open_session(self._path, threads=threads, where=self.name)
        source = session.get_inputs()[0]
        pictures = np.empty((batch, *source.shape[1:]), np.float32)

        def call() -> Any:
            for number in range(batch):
                pictures[number] = model.prepare(frame)[0]
            return session.run(None, {source.name: pictures})

        return call


class _Network:
    """An ONNX network with one input, on random numbers."""

    def __init__(self, path: Path, shape: tuple[int, ...] | None) -> None:
        self.name = path.name
        self._path = path
        if not path.is_file():
            raise InputError("no such file", where=str(path), hint="name a .onnx file")
        session = open_session(path, where=str(path))
        sources = session.get_inputs()
        if len(sources) != 1 or sources[0].type not in _TYPES:
            said = ", ".join(f"{one.name}: {one.type}" for one in sources)
            raise InputError(
                f"takes {said or 'nothing'}", where=str(path), hint="one input of float32, float16 or uint8 is expected"
            )
        self._source = sources[0].name
        self._type = _TYPES[sources[0].type]
        self._axes: list[Any] = list(sources[0].shape)
        if shape is not None:
            self._axes = self._given(shape)
        if not self._axes or any(not isinstance(axis, int) or axis < 1 for axis in self._axes[1:]):
            said = ",".join(str(axis) for axis in self._axes)
            raise InputError(f"the shape of its input is open: {said}", where=str(path), hint="--shape 1,3,256,256")
        self.takes = f"{self._type.__name__} ({', '.join(str(axis) for axis in self._axes)}), no scaling"

    def _given(self, shape: tuple[int, ...]) -> list[Any]:
        fits = len(shape) == len(self._axes) and all(
            one >= 1 and (not isinstance(axis, int) or one == axis)
            for one, axis in zip(shape, self._axes, strict=False)
        )
        if not fits:
            said = ",".join(str(axis) for axis in self._axes)
            raise InputError(f"its input is {said}", where="--shape", hint="give a shape that this is")
        open_ = not isinstance(self._axes[0], int)
        return [self._axes[0] if open_ else shape[0], *shape[1:]]

    def opened(self, batch: int, threads: int) -> Callable[[], Any]:
        first = self._axes[0]
        if isinstance(first, int) and first != batch:
            raise InputError(f"it takes {first} at once, not {batch}", where=self.name, hint=f"--batch {first}")
        shape = [batch, *self._axes[1:]]
        if float(np.prod(shape, dtype=np.float64)) > _ELEMENTS_MAX:
            raise InputError(f"an input of {shape} is too large", where=self.name, hint="give a smaller --batch")
        session = open_session(self._path, threads=threads, where=self.name)
        draw = np.random.default_rng(_SEED)
        values = (
            draw.integers(0, 256, shape, dtype=np.uint8)
            if self._type is np.uint8
            else draw.random(shape, np.float32).astype(self._type)
        )
        source = self._source

        def call() -> Any:
            try:
                return session.run(None, {source: values})
            except foreign() as error:
                raise InputError(f"the network failed: {first_line(error)}", where=self.name, hint="--shape?") from None

        return call


class _Function:
    """A function of the user's own, called with frames."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self.name = name
        self.takes = f"frames of {size[0]}x{size[1]}"
        self._size = size
        self._function = load_function(
            name, where="MODEL", hint="install the module, or put its folder on PYTHONPATH; it takes an RGB array"
        )

    def opened(self, batch: int, threads: int) -> Callable[[], Any]:  # noqa: ARG002 - it has its own threads
        if batch != 1:
            raise InputError(f"a function takes 1 frame, not {batch}", where=self.name, hint="--batch 1")
        function, frame = self._function, _frame(self._size)
        unseen = [True]

        def call() -> Any:
            try:
                answer = function(frame)
            except FOREIGN as error:
                raise InputError(
                    f"the function failed: {type(error).__name__}: {error}", where=self.name, hint="try it on one frame"
                ) from error
            if unseen:
                unseen.clear()
                _check_answer(answer, self.name)
            return answer

        return call


def _check_answer(answer: Any, name: str) -> None:
    """Refuse what does no work: its speed would be a price. Whether an answer is right, `reelwise probe` says.

    Raises:
        InputError: there is no answer, it is still to come, or it holds what is no number.
    """
    hint = "a function that answers, as it would in use"
    if answer is None:
        raise InputError("the function answered nothing (None)", where=name, hint=hint)
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise InputError("the function is async: what it began is not done when it returns", where=name, hint=hint)
    if isinstance(answer, np.ndarray) and answer.dtype.kind == "f" and not np.isfinite(answer).all():
        raise InputError("the function answered NaN or infinite values", where=name, hint=hint)
