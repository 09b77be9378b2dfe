"""A network from a picture to a mask, on onnxruntime: the embedded one, its smaller students, or one of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import InputError, MissingExtraError
from reelwise.models.session import first_line, foreign, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MaskNetwork", "opencv"]

_HINT = "float32 (1, 3, h, w), RGB from 0 to 1, to (1, 1, h, w) is expected"


class MaskNetwork:
    """A network that says of each place of a picture how likely it is foreground; see `SegmentModel`.

    An object is used by one thread at a time: it fills the same input again for each picture.

    Args:
        network: an ONNX file or its bytes: float32 (1, 3, h, w) RGB 0..1 to (1, 1, h, w) 0..1; the first axis may be open.
        name: what receipts, facts and errors call it.
        threads: cores that one picture may use.

    Raises:
        MissingExtraError: onnxruntime or OpenCV is not installed.
        InputError: it is no such network.

    Attributes:
        name: as given.
        size: (height, width) of the masks, in places.
        input: what the network calls its input.
    """

    def __init__(self, network: Path | bytes, *, name: str, threads: int = 1) -> None:
        self.name = name
        self._cv2 = opencv()
        session = open_session(network, threads=threads, where=name)
        source, result = session.get_inputs(), session.get_outputs()
        if len(source) != 1 or len(result) != 1 or not _fits(source[0]) or not _fits(result[0], channels=1):
            raise InputError("is no network from a picture to a mask", where=name, hint=_HINT)
        self._run, self._output, self._foreign = session.run, [result[0].name], foreign()
        self._batch = np.empty((1, *source[0].shape[1:]), np.float32)
        self.input: str = source[0].name
        self._feed = {self.input: self._batch}
        self.size: tuple[int, int] = (int(result[0].shape[2]), int(result[0].shape[3]))

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability 0..1 that each place is foreground.

        The picture is scaled to the network's size whatever its shape is, as MediaPipe does.

        Args:
            frame: RGB uint8 (height, width, 3).

        Returns:
            float32 (h, w) of `size`; an array of its own.

        Raises:
            InputError: the frame is no such array.
        """
        self.prepare(frame)
        try:
            mask: NDArray[np.float32] = self._run(self._output, self._feed)[0][0, 0]
        except self._foreign as error:
            raise InputError(f"the network failed: {first_line(error)}", where=self.name, hint=_HINT) from None
        return mask

    def prepare(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scale a frame into the network's input, float32 (1, 3, h, w), and return that; the next frame overwrites it."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise InputError(
                f"a frame of shape {frame.shape} and type {frame.dtype}", where=self.name, hint="RGB uint8 (h, w, 3)"
            )
        height, width = self._batch.shape[2:]
        small = self._cv2.resize(frame, (width, height), interpolation=self._cv2.INTER_LINEAR)
        # split first: a transposed copy of the picture takes a third longer
        for plane, out in zip(self._cv2.split(small), self._batch[0], strict=True):
            np.multiply(plane, np.float32(1 / 255), out=out)
        return self._batch


def opencv() -> Any:
    """Import OpenCV, or raise `MissingExtraError`."""
    try:
        import cv2
    except ImportError:
        raise MissingExtraError(
            "pictures are scaled and drawn with OpenCV, which is not installed", hint="pip install 'reelwise[live]'"
        ) from None
    return cv2


def _fits(value: Any, channels: int = 3) -> bool:
    shape = value.shape
    if value.type != "tensor(float)" or len(shape) != 4 or shape[1] != channels:
        return False
    first = shape[0] == 1 or not isinstance(shape[0], int)  # one picture, or open
    return first and all(isinstance(side, int) and side > 0 for side in shape[2:])
