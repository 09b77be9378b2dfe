"""Answers that come bit by bit. Cut off, they are billed for what came."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from reelwise.errors import AmbiguousError, AnswerError, EndpointError
from reelwise.models.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from reelwise.models.endpoint import Endpoint, Sent
    from reelwise.models.used import Used

__all__ = ["Events", "Stream", "events"]

_BYTES_A_TOKEN = 4  # OpenAI's and Gemini's guides: about four characters a token


class Events:
    """What one vendor's stream says, event by event. Each kind of endpoint has its own.

    Attributes:
        text: pieces of the answer so far.
        pieces: pieces that came.
        finish: see `Answer`.
        confidence: see `Answer`.
        over: whether the vendor said that it is complete.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self.pieces = 0
        self.finish: Any = "stop"
        self.confidence: float | None = None
        self.over = False

    def take(self, event: dict[str, Any]) -> str:
        """Take one event and return the text that it adds.

        Raises:
            EndpointError: it says that the call failed.
        """
        raise NotImplementedError

    def used(self) -> Used:
        """Say what was used by what came so far; see `Used.complete`."""
        raise NotImplementedError

    def add(self, text: str) -> str:
        """Note a piece of text."""
        if text:
            self.text.append(text)
            self.pieces += 1
        return text

    @property
    def tokens_came(self) -> int:
        """Output tokens that came, where the vendor has not counted them yet: a token is a piece at least, and about four bytes."""
        size = sum(len(text.encode()) for text in self.text)
        return max(self.pieces, -(-size // _BYTES_A_TOKEN))


def events(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join the data lines of server-sent events; comments and names are left out."""
    data: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            data.append(line[5:].lstrip())
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


class Stream:
    """An answer under way: iterate over its text, or leave the block and it is cut off.

    with model.stream(work) as stream:
        for piece in stream:
            ...
    answer = stream.answer
    """

    def __init__(self, endpoint: Endpoint, sent: Sent, state: Events, expected: int) -> None:
        self._endpoint, self._sent, self._state, self._expected = endpoint, sent, state, expected
        self._first: float | None = None
        self._answer: Answer | None = None
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it comes.

        Raises:
            AnswerError: the connection was lost before its end, or it is nonsense; `spent` is what came.
        """
        try:
            for data in events(self._sent.reply.lines()):
                piece = self._take(data)
                if piece:
                    self._first = self._first if self._first is not None else time.perf_counter()
                    yield piece
            if not self._state.over:
                self._lost("its stream ended before its end")
            self._finish()
        except AmbiguousError as error:
            self._lost(error.message)

    def _take(self, data: bytes) -> str:
        if data == b"[DONE]":
            self._state.over = True
            return ""
        try:
            event = msgspec.json.decode(data)
        except msgspec.DecodeError:
            self._lost("an event of its stream is no JSON")
        if not isinstance(event, dict):
            self._lost("an event of its stream is no object")
        try:
            return self._state.take(event)
        except msgspec.ValidationError as error:
            self._lost(f"an event of its stream is not what its API says: {error}")
        except EndpointError:
            self._sent.reply.close()
            raise

    def _lost(self, message: str) -> NoReturn:
        self._sent.reply.close()
        self._finish(cut=True)
        error = AnswerError(message, where=self._sent.reply.where, status=self._sent.reply.status, reason="cut")
        error.attempts, error.spent = self._sent.attempts, self._answer.used if self._answer else None
        raise error from None

    def close(self) -> None:
        """Stop it. What came is billed: what lies unread on this machine counts too."""
        if self._answer is not None:
            return
        for data in events(iter(self._sent.reply.waiting().splitlines())):
            try:
                event = msgspec.json.decode(data)
                if isinstance(event, dict):
                    self._state.take(event)
            except (msgspec.DecodeError, EndpointError):
                break  # a piece of an event: the connection is about to be closed
        self._sent.reply.close()
        self._finish(cut=True)

    def _finish(self, *, cut: bool = False) -> None:
        if self._answer is not None:
            return
        state, now = self._state, time.perf_counter()
        used = state.used()
        first = self._first if self._first is not None else now
        self._answer = Answer(
            used=used, text="".join(state.text), finish="cut" if cut else state.finish, confidence=state.confidence,
            attempts=self._sent.attempts, waited_seconds=self._sent.waited_seconds,
            latency_ms=(now - self._sent.began) * 1000, latency_first_ms=(first - self._sent.began) * 1000,
        )  # fmt: skip
        self._endpoint.settle(self._expected, used)

    @property
    def answer(self) -> Answer:
        """The whole answer, or what came of it."""
        if self._answer is None:
            self.close()
        answer: Any = self._answer
        return answer  # type: ignore[no-any-return]
