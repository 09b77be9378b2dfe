from __future__ import annotations

import asyncio
import json

import pytest

from reelwise.billed import may_be_billed
from reelwise.errors import BudgetError, InputError, LedgerLockedError


class HTTPStatusError(Exception):
    """As client libraries have it: the status is on the error, or on its response."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


class ResponseError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("with a response")
        self.response = type("Response", (), {"status_code": status})()


class ClientError(Exception):
    """As botocore has it."""

    def __init__(self, status: int) -> None:
        super().__init__("with a dict")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


class ReadTimeout(Exception):  # noqa: N818 - a library's name
    """Derives from nothing that Python knows as a time-out."""


def not_read() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


def raised_from(error: Exception, cause: BaseException) -> Exception:
    try:
        try:
            raise cause  # noqa: TRY301 - a chain of errors is what is made here
        except BaseException as first:
            raise error from first
    except Exception as found:  # noqa: BLE001 - whatever it is
        return found


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeout(),
        TimeoutError(),
        ConnectionResetError(),
        OSError(),
        MemoryError(),
        RuntimeError("connection lost"),
        KeyboardInterrupt(),
        SystemExit(),
        GeneratorExit(),
        asyncio.CancelledError(),
        HTTPStatusError(500),
        HTTPStatusError(408),
        ResponseError(503),
        ClientError(500),
        LedgerLockedError("of a call inside, which was made"),
        not_read(),  # an answer came
        raised_from(ValueError("bad answer"), ReadTimeout()),
        ExceptionGroup("both", [ValueError()]),
    ],
    ids=repr,
)
def test_what_may_have_been_billed_is(error: BaseException) -> None:
    assert may_be_billed(error, (), ())


@pytest.mark.parametrize(
    "error",
    [
        ValueError("plain"),
        KeyError("clip"),
        TypeError(),
        FileNotFoundError("clip.mp4"),
        InputError("bad clip"),
        BudgetError("denied inside", reason="over_limit"),
        HTTPStatusError(429),
        ResponseError(400),
        ClientError(400),
        raised_from(ValueError("no clip"), KeyError("clip")),
        raised_from(HTTPStatusError(401), ResponseError(401)),
    ],
    ids=repr,
)
def test_what_was_surely_not_sent_or_was_refused_is_not(error: BaseException) -> None:
    assert not may_be_billed(error, (), ())


def test_a_caller_knows_better() -> None:
    assert not may_be_billed(ReadTimeout(), (), (ReadTimeout,))
    assert may_be_billed(ValueError(), (ValueError,), (ValueError,))
    assert not may_be_billed(raised_from(ValueError("x"), ReadTimeout()), (), (ReadTimeout,))
    assert may_be_billed(raised_from(ValueError("x"), KeyError("y")), (KeyError,), ())
