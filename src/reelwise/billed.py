"""Whether a call that ended in an error may have been billed: where nobody knows, it was."""

from __future__ import annotations

from typing import Any

from reelwise.errors import EndpointError, GateError, InputError, LedgerError

__all__ = ["may_be_billed"]

_PLAIN: frozenset[type[BaseException]] = frozenset(
    {
        ArithmeticError,
        AssertionError,
        AttributeError,
        FileExistsError,
        FileNotFoundError,
        FloatingPointError,
        ImportError,
        IndentationError,
        IndexError,
        IsADirectoryError,
        KeyError,
        LookupError,
        ModuleNotFoundError,
        NameError,
        NotADirectoryError,
        NotImplementedError,
        OverflowError,
        PermissionError,
        RecursionError,
        SyntaxError,
        TabError,
        TypeError,
        UnboundLocalError,
        UnicodeDecodeError,
        UnicodeEncodeError,
        UnicodeError,
        UnicodeTranslateError,
        ValueError,
        ZeroDivisionError,
    }
)
"""Python's own mistakes, by exact class: a library that could not read an answer raises a class of its own below these."""
_CHAIN_MAX = 20
_GAVE_UP = (408, 499)  # the server or the client stopped waiting: the model may have worked


def may_be_billed(
    error: BaseException, ambiguous: tuple[type[BaseException], ...], not_billed: tuple[type[BaseException], ...]
) -> bool:
    """Say whether a call may have been billed although it ended in this error.

    It was not where the error is one of `not_billed`, or where it and every error that it was raised from is a refusal with an HTTP status
    of 400 to 499 (408 and 499 apart), a plain mistake of Python's own (ValueError, KeyError, FileNotFoundError, ... itself, no class below
    it), or an input or a budget that Reelwise refused. Everything else may be: time-outs and lost connections of whatever library,
    cancelled tasks, Ctrl-C, answers that could not be read. `ambiguous` comes before all of these.
    """
    if isinstance(error, ambiguous):
        return True
    if isinstance(error, not_billed):
        return False
    if isinstance(error, EndpointError):  # our own wires know, whatever it was raised from
        return error.billed
    one: BaseException | None = error
    for _ in range(_CHAIN_MAX):
        if one is None:
            return False
        if isinstance(one, ambiguous) or not (isinstance(one, not_billed) or _refused(one)):
            return True
        one = one.__cause__ or one.__context__
    return True


def _refused(error: BaseException) -> bool:
    if type(error) in _PLAIN or isinstance(error, GateError):
        return True
    if isinstance(error, InputError):
        return not isinstance(error, LedgerError)
    status = _http_status(error)
    return status is not None and 400 <= status < 500 and status not in _GAVE_UP


def _http_status(error: BaseException) -> int | None:
    """Read the HTTP status that a client library's error carries; each library has its own place for it."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        meta = response.get("ResponseMetadata")
        found = [meta.get("HTTPStatusCode")] if isinstance(meta, dict) else []
    else:
        found = [getattr(response, "status_code", None), getattr(response, "status", None)]
    found += [getattr(error, name, None) for name in ("status_code", "status", "code")]
    return next((one for one in found if isinstance(one, int) and 100 <= one < 600), None)
