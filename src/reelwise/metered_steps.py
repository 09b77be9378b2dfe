"""Generators and coroutines as metered calls: an answer that streams is one call, from its first item to its last."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

from reelwise.metered_call import within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from types import TracebackType

    from reelwise.metered_call import Call

    Begin = Callable[[tuple[Any, ...], dict[str, Any]], Awaitable[Call]]

__all__ = ["Settles", "finished", "stepped", "steps_of_async"]


class Settles(Protocol):
    """What ends calls: a meter."""

    def end(self, call: Call, error: BaseException | None) -> None:
        """Settle a call."""

    async def end_async(self, call: Call, error: BaseException | None) -> None:
        """Settle a call."""


class _Inside(Generator[Any, Any, Any]):
    """A generator whose steps run in a call, and nothing between them does."""

    def __init__(self, call: Call, inner: Generator[Any, Any, Any]) -> None:
        self._call = call
        self._inner = inner

    def send(self, value: Any) -> Any:
        with within(self._call):
            return self._inner.send(value)

    def throw(self, kind: Any, value: Any = None, _trace: TracebackType | None = None) -> Any:
        with within(self._call):
            return self._inner.throw(value if isinstance(value, BaseException) else kind)

    def close(self) -> None:
        with within(self._call):
            self._inner.close()


def stepped(meter: Settles, call: Call, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run a generator in a call that is held for, and settle it when it ends, is closed, or raises."""
    try:
        result = yield from _Inside(call, inner)
    except BaseException as error:
        meter.end(call, error)
        raise
    meter.end(call, None)
    return result


class _Sent:
    """What the consumer of an async generator did at a `yield`: it sent a value, or threw an error that is the generator's to handle."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        self.value = self.error = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        return error is not None and not isinstance(error, GeneratorExit)


def steps_of_async(meter: Settles, begin: Begin, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes async generators which do what `stepped` does; each is held for by `begin` at its first step."""

    async def metered(*arguments: Any, **named: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*arguments, **named)
        call = await begin(arguments, named)
        sent = _Sent()
        try:
            while True:
                try:
                    with within(call):
                        item = await (inner.asend(sent.value) if sent.error is None else inner.athrow(sent.error))
                except StopAsyncIteration:
                    break
                with sent:
                    sent.value = yield item
        except BaseException as error:
            try:
                with within(call):
                    await inner.aclose()
            finally:
                await meter.end_async(call, error)
            raise
        await meter.end_async(call, None)

    return metered


async def finished(meter: Settles, call: Call, inner: Coroutine[Any, Any, Any]) -> Any:
    """Await a coroutine in a call that is held for, and settle it when it is done."""
    try:
        with within(call):
            result = await inner
    except BaseException as error:
        await meter.end_async(call, error)
        raise
    await meter.end_async(call, None)
    return result
