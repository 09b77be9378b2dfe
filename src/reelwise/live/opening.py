"""Open a model by name: the embedded network, an ONNX file, a function of your own, an endpoint. Loaded beside what else starts."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError
from reelwise.live.caught import Caught
from reelwise.models.shelf import MODEL, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PERSON", "Loading", "is_embedded", "open_model"]

PERSON = MODEL
_WAIT_SECONDS = 300.0
_HINT = f"{PERSON}, {PERSON}:landscape, FILE.onnx, MODULE:FUNCTION, or http://HOST/PATH"
_WARM = 64


def open_model(
    name: str, *, timeout_seconds: float = 10.0, headers: Mapping[str, str] | None = None, long_side: int = 0
) -> Callable[[NDArray[np.uint8]], Any]:
    """Open a model.

    Args:
        name: person-segmentation, general, landscape, person-segmentation:landscape, a .onnx file, module:function, or an address.
        timeout_seconds: of an endpoint.
        headers: of an endpoint.
        long_side: what an endpoint is sent; 0 for frames as they are.

    Raises:
        InputError: there is no such model, or it is not installed.
        MissingExtraError: what runs it is not installed.
    """
    if name.startswith(("http://", "https://")):
        from reelwise.live.endpoint import HttpModel

        return HttpModel(name, timeout_seconds=timeout_seconds, headers=headers, long_side=long_side)
    if is_embedded(name):
        from reelwise.models.person import PersonSegmentation

        return PersonSegmentation(_variant(name))
    if name.lower().endswith(".onnx"):
        from reelwise.models.masks import MaskNetwork

        path = Path(name)
        if not path.is_file():
            raise InputError("no such file", where=name, hint="name an ONNX network")
        return MaskNetwork(path, name=path.name)
    return _function(name)


def is_embedded(name: str) -> bool:
    """Say whether a name is that of the embedded network."""
    return name in {PERSON, *VARIANTS} or name.startswith(f"{PERSON}:")


def _variant(name: str) -> str:
    return "general" if name == PERSON else name.rpartition(":")[2]


def _function(name: str) -> Callable[[NDArray[np.uint8]], Any]:
    from reelwise.models.function import FUNCTION, load_function

    if not FUNCTION.fullmatch(name):
        raise InputError(f"no model {name!r:.80}", where="--model", hint=_HINT)
    hint = "install the module, or put its folder on PYTHONPATH; it takes RGB uint8 (h, w, 3)"
    model = load_function(name, where=name, hint=hint)
    if not isinstance(model, type):
        return model
    with Caught() as caught:
        made: Any = model()
    if caught.error is not None:
        raise InputError(f"cannot be made: {caught.said}", where=name, hint=hint) from caught.error
    return _callable(made, name)


def _callable(found: Any, name: str) -> Callable[[NDArray[np.uint8]], Any]:
    if not callable(found):
        raise InputError(f"makes a {type(found).__name__}, no function", where=name, hint="give it a __call__")
    model: Callable[[NDArray[np.uint8]], Any] = found
    return model


class Loading:
    """A model that is being loaded by a thread of its own, while the source opens.

    Args:
        open_: opens it.
        warm: whether to call it once, on an empty picture, so that the first frame does not pay for that.
    """

    def __init__(self, open_: Callable[[], Callable[[NDArray[np.uint8]], Any]], *, warm: bool) -> None:
        self._open, self._warm = open_, warm
        self._model: Callable[[NDArray[np.uint8]], Any] | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._load, name="reelwise-live-loading", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        with Caught(all_=True) as caught:
            model = self._open()
            if self._warm:
                import numpy as np

                model(np.zeros((_WARM, _WARM, 3), np.uint8))
            self._model = model
        self._error = caught.error

    def model(self) -> Callable[[NDArray[np.uint8]], Any]:
        """Wait until it is there, and return it.

        Raises:
            InputError, MissingExtraError: it cannot be opened.
        """
        self._thread.join(_WAIT_SECONDS)
        if self._error is not None:
            raise self._error
        if self._model is None:
            raise InputError(f"was not loaded in {_WAIT_SECONDS:g} s", where="--model")
        return self._model
