"""What all endpoints share: the key, the limiter, attempts, and what each HTTP status means."""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from reelwise.errors import (
    AmbiguousError,
    AnswerError,
    BusyError,
    EndpointError,
    InputError,
    RefusedError,
)
from reelwise.models.attempts import Attempts
from reelwise.models.http import Http
from reelwise.models.keys import Key
from reelwise.models.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from reelwise.models.answer import Answer
    from reelwise.models.body import Body
    from reelwise.models.http import Reply
    from reelwise.models.used import Used
    from reelwise.models.work import Work

__all__ = ["Endpoint", "Sent"]

T = TypeVar("T")
_SENDS_MAX = 4
_BACKOFF_SECONDS = 0.5
_BACKOFF_MAX_SECONDS = 20.0
_RETRY_AFTER_MAX_SECONDS = 120.0
_MESSAGE_MAX = 300
_BUSY = {429: "limit", 500: "failed", 503: "overload", 529: "overload"}
"""Nothing was produced: vendors do not bill these (Gemini's billing FAQ says so of 400 and 500, as quoted in its docs)."""
_REFUSED = {401: "key", 403: "key", 402: "quota", 404: "model", 413: "size"}
_FILE = re.compile(r"\bfile\b.*(?:not exist|not found|expired)|no such file")
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "credit balance is too low")


class Sent(msgspec.Struct, kw_only=True):
    """An exchange that was answered.

    Attributes:
        reply: the answer's head; its body is still to be read.
        attempts: how often the call was sent.
        waited_seconds: for the limiter.
        began: `time.perf_counter` when the last attempt began.
        left_seconds: of the call's time.
    """

    reply: Any
    attempts: int
    waited_seconds: float
    began: float
    left_seconds: float


class Endpoint:
    """A model endpoint over HTTP. Safe for many threads.

    Args:
        url: its address.
        key: the variable of the environment that holds its key; empty where it wants none.
        name: what receipts call it; empty for the provider's name.
        limiter: its limits a minute under this key; None for none.
        attempts: the budget of retries, shared with all other endpoints of a run.
        idempotent: it knows a call by its id, and answers it once however often it is sent: then a lost reply may be asked for again.
        silent_seconds: the longest wait for a single byte.
        sleep: for tests.

    Raises:
        InputError: no address, or a key that would be sent in the clear to another machine.
    """

    provider = ""
    can: frozenset[str] = frozenset()
    variable = ""
    address = ""

    def __init__(
        self,
        url: str = "",
        key: str | None = None,
        *,
        name: str = "",
        limiter: Limiter | None = None,
        attempts: Attempts | None = None,
        idempotent: bool = False,
        silent_seconds: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = Http(url or self.address, silent_seconds=silent_seconds)
        self._key = Key(self.variable if key is None else key)
        if self._key.variable and not self._http.secure and not self._http.local:
            raise InputError("a key would be sent in the clear", where="url", hint="use https")
        self.name = name or self.provider
        self._limiter = limiter or Limiter(name=self.name)
        self._attempts = attempts or Attempts()
        self._idempotent = idempotent
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, key={self._key.variable!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def key(self) -> Key:
        """Its key, by name."""
        return self._key

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    # what it can do: each kind of endpoint overrides what it can

    def describe(self, work: Work) -> Answer:
        """Say what is shown."""
        self._cannot("describe", work)

    def ask(self, work: Work) -> Answer:
        """Answer what the text asks."""
        self._cannot("ask", work)

    def moderate(self, work: Work) -> Answer:
        """Choose among the labels, or say what is objectionable."""
        self._cannot("moderate", work)

    def segment(self, work: Work) -> Answer:
        """Separate foreground from background."""
        self._cannot("segment", work)

    def detect(self, work: Work) -> Answer:
        """Find what is there."""
        self._cannot("detect", work)

    def transcribe(self, work: Work) -> Answer:
        """Write down what is said."""
        self._cannot("transcribe", work)

    def embed(self, work: Work) -> Answer:
        """Make vectors."""
        self._cannot("embed", work)

    def _cannot(self, task: str, work: Work) -> NoReturn:
        able = ", ".join(sorted(self.can)) or "nothing"
        raise InputError(f"{self.name} cannot {task}", where=work.model, hint=f"it can {able}")

    # exchanges

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 600.0,
        tokens: int = 0,
        safe: bool = False,
        identity: str = "",
        counted: bool = True,
        rooted: bool = False,
    ) -> Sent:
        """Send a request, again where that is safe and the budget of retries allows it, and return the answer's head.

        Args:
            method: see `Http.send`; so too the next three, and rooted.
            path: below the address.
            body: what is sent.
            headers: besides the key's.
            seconds: for all of it, waiting for the limiter and between attempts included.
            tokens: what the limiter counts it as.
            safe: it may be sent again whatever became of it: reads, and what does the same when done twice.
            identity: the call's id.
            counted: whether it is a call of its own; reads of a job's state are not.
            rooted: the path begins at the host.

        Raises:
            RefusedError, BusyError, NotSentError, AmbiguousError: see `reelwise.models.protocol.Model`.
        """
        until = time.monotonic() + seconds
        all_headers = {**self._headers(), "User-Agent": "reelwise", "Accept": "*/*", **(headers or {})}
        if identity:
            all_headers["Idempotency-Key"] = identity
        if counted:
            self._attempts.call()
        waited, sends = 0.0, 0
        while True:
            waited += self._limiter.take(tokens, until - time.monotonic())
            sends += 1
            began = time.perf_counter()
            left = max(0.001, until - time.monotonic())
            try:
                reply = self._http.send(method, path, headers=all_headers, body=body, seconds=left, rooted=rooted)
                if reply.status >= 300:
                    raise self._status(reply)
            except EndpointError as error:
                error.attempts = sends
                again = error if self._again(error, sends, safe=safe, until=until) else None
                if again is None:
                    raise
            else:
                left = max(0.001, until - time.monotonic())
                return Sent(reply=reply, attempts=sends, waited_seconds=waited, began=began, left_seconds=left)
            self._sleep(self._between(again, sends))

    def post(self, path: str, body: Body, work: Work, *, headers: Mapping[str, str] | None = None) -> Sent:
        """Send a work as one call of its own: within its time, under its id; see `send`."""
        return self.send(
            "POST", path, body=body, headers=headers, seconds=work.timeout_seconds, tokens=work.tokens_expected,
            identity=work.identity,
        )  # fmt: skip

    def _again(self, error: EndpointError, sends: int, *, safe: bool, until: float) -> bool:
        """Say whether a call is sent once more: only where it surely was not accepted, or the endpoint knows it again."""
        if isinstance(error, RefusedError) or sends >= _SENDS_MAX:
            return False
        if isinstance(error, AmbiguousError) and not (safe or self._idempotent):
            return False
        wait = error.retry_seconds or 0.0
        if error.status == 429 and wait:
            self._limiter.pause(wait)
        if time.monotonic() + max(wait, _BACKOFF_SECONDS / 2) >= until:
            return False
        return self._attempts.retry()

    def _between(self, error: EndpointError, sends: int) -> float:
        """Wait as long as the endpoint says, else twice as long each time, with chance so that callers part."""
        if error.retry_seconds is not None:
            return min(error.retry_seconds, _RETRY_AFTER_MAX_SECONDS)
        longest = min(_BACKOFF_MAX_SECONDS, _BACKOFF_SECONDS * 2 ** (sends - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def _status(self, reply: Reply) -> EndpointError:
        """Make the error of an HTTP status; what the endpoint says is kept, without its key."""
        try:
            text = reply.read(1 << 20).decode("utf-8", "replace")
        except AmbiguousError:
            text = ""
        said, code = _message(text)
        said = self._key.scrub(said)[:_MESSAGE_MAX]
        status, where = reply.status, reply.where
        wait = _retry_after(reply.headers)
        if status in _BUSY and not (status == 429 and any(word in f"{code} {said}" for word in _QUOTA)):
            return BusyError(
                f"answered {status}: {said}", where=where, status=status, retry_seconds=wait, reason=_BUSY[status],
                hint="fewer calls at once, or later",
            )  # fmt: skip
        if status >= 500 or status == 408:
            return AmbiguousError(
                f"answered {status}: {said}", where=where, status=status, retry_seconds=wait, reason="gateway",
                hint="something between gave up waiting: the call may be billed",
            )  # fmt: skip
        reason = "quota" if status == 429 else _reason(status, code, said)
        hint = _HINTS.get(reason, "see what it says")
        return RefusedError(f"answered {status}: {said}", where=where, status=status, reason=reason, hint=hint)

    def json(self, sent: Sent, kind: type[T]) -> tuple[T, dict[str, Any]]:
        """Read an answer against its schema.

        Returns:
            The answer as `kind`, and all of it as it came.

        Raises:
            AnswerError: no JSON, or not that kind.
            AmbiguousError: it was cut off.
        """
        data = sent.reply.read()
        try:
            raw = msgspec.json.decode(data)
            if not isinstance(raw, dict):
                raise msgspec.ValidationError("Expected `object`")
        except msgspec.DecodeError as error:
            self._broken(f"its answer is no JSON: {self._key.scrub(str(error))[:120]}", sent, "json")
        try:
            return msgspec.convert(raw, kind), raw
        except msgspec.ValidationError as error:
            wrong = AnswerError(
                f"its answer is not what its API says: {error}", where=sent.reply.where, status=sent.reply.status,
                reason="schema",
            )  # fmt: skip
            wrong.attempts, wrong.spent = sent.attempts, self._read(raw)
            raise wrong from None

    def _read(self, raw: dict[str, Any]) -> Used | None:  # noqa: ARG002 - each kind of endpoint reads its own
        """Read the usage of an answer that does not fit its schema, if it can be."""
        return None

    def _broken(self, message: str, sent: Sent, reason: str) -> NoReturn:
        error = AnswerError(message, where=sent.reply.where, status=sent.reply.status, reason=reason)
        error.attempts = sent.attempts
        raise error

    def note(self, answer: Answer, sent: Sent, expected: int) -> Answer:
        """Note on an answer how it was come by, and tell the limiter what it took."""
        answer.attempts, answer.waited_seconds = sent.attempts, sent.waited_seconds
        answer.latency_ms = answer.latency_first_ms = (time.perf_counter() - sent.began) * 1000
        self.settle(expected, answer.used)
        return answer

    def settle(self, expected: int, used: Used) -> None:
        """Tell the limiter what a call took."""
        self._limiter.settle(expected, used.tokens_input + used.tokens_output)


_HINTS = {
    "key": "check the key in the variable of the environment, and what it may do",
    "model": "check the model's name: it may be gone",
    "quota": "the account has no credit left",
    "size": "send less: a shorter clip, smaller pictures, or an upload",
    "content": "the endpoint does not take this content",
    "file": "the file that went up is gone there: send it again",
}


def _reason(status: int, code: str, said: str) -> str:
    low = f"{code} {said}".lower()
    if any(word in low for word in ("content_policy", "content policy", "safety", "moderation_blocked")):
        return "content"
    if "api key" in low or "api_key" in low:
        return "key"
    if status in {403, 404} and _FILE.search(low):
        return "file"  # Gemini answers 403 for a file that expired: no wrong key, and no other call is to blame
    if "model" in low and any(word in low for word in ("not found", "not_found", "does not exist", "deprecated")):
        return "model"
    return _REFUSED.get(status, "input")


def _message(text: str) -> tuple[str, str]:
    """Find what an error's body says, and its code, in the shapes that vendors use."""
    try:
        raw = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return " ".join(text.split())[:_MESSAGE_MAX] or "nothing", ""
    if isinstance(raw, list) and raw:
        raw = raw[0]
    inner = raw.get("error", raw) if isinstance(raw, dict) else raw
    if isinstance(inner, dict):
        said = inner.get("message") or inner.get("detail") or ""
        code = inner.get("code") or inner.get("status") or inner.get("type") or ""
        return " ".join(str(said).split()) or "nothing", f"{code} {inner.get('type') or ''}"
    return " ".join(str(inner).split()), ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            value = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        if 0 <= value < 86_400:
            return value
    return None
