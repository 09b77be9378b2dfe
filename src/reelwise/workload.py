"""What must be done, and how often: the job that every plan for it has in common."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from reelwise.errors import DocumentError
from reelwise.flow import Item

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.units import Num

__all__ = [
    "LATENCY_SECONDS",
    "Demand",
    "LatencyClass",
    "Length",
    "Prompt",
    "Repetition",
    "Source",
    "UserClass",
    "Workload",
    "items_of",
]

Positive = Annotated[float, Meta(ge=0.001, le=1e15)]
Count = Annotated[float, Meta(ge=0, le=1e15)]
Share = Annotated[float, Meta(ge=0, le=1)]
Pixels = Annotated[int, Meta(ge=1, le=65535)]
Tokens = Annotated[float, Meta(ge=0, le=1e9)]
AtLeastOne = Annotated[float, Meta(ge=1, le=1e9)]
Name = Annotated[str, Meta(min_length=1, max_length=80)]

LatencyClass = Literal["realtime", "seconds", "minutes", "hours", "day"]

LATENCY_SECONDS: dict[str, float] = {
    "realtime": 0.2,
    "seconds": 10.0,
    "minutes": 600.0,
    "hours": 14400.0,
    "day": 86400.0,
}
"""How long an answer may take in each latency class (our definition; batch APIs promise 24 h)."""

DAYS_A_MONTH = 365 / 12
_OWN_FIELDS = ("sessions", "seconds", "hours_a_day")
_BINS = 16


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The footage as it arrives.

    Attributes:
        width, height: pixels.
        fps: frames a second.
        audio: whether it has sound.
        megabits_per_second: bit rate of the stored or sent stream (10^6 bits).
        always_on: a camera that records whether or not anything happens.
    """

    width: Pixels = 1920
    height: Pixels = 1080
    fps: Annotated[float, Meta(gt=0, le=1000)] = 30.0
    audio: bool = True
    megabits_per_second: Annotated[float, Meta(gt=0, le=100_000)] = 4.0
    always_on: bool = False


class Length(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bar of the histogram of clip lengths: `share` of the clips last `seconds`."""

    seconds: Positive
    share: Share = 1.0


class UserClass(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of users: how many, how often, how long.

    Attributes:
        name: "free", "paying", ...
        users: active users a month.
        sessions: sessions of one user a month (the mean).
        seconds: length of one session.
        spread: sigma of the logarithm of sessions over users; 0 means all users are alike, 1 is a long tail.
        revenue_usd: what one user of this class pays a month, or null.
    """

    name: Name
    users: Count
    sessions: Count
    seconds: Positive
    spread: Annotated[float, Meta(ge=0, le=3)] = 0.0
    revenue_usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class Demand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a month, in one of five forms.

    `hours` of video; or `clips` of `seconds`; or `users` x `sessions` x `seconds`; or `cameras` x `hours_a_day`; or `classes` of users.

    Attributes:
        low, high: what the month may turn out to be, as a factor on the demand (5th and 95th percentile).
    """

    hours: Count | None = None
    clips: Count | None = None
    users: Count | None = None
    sessions: Count | None = None
    seconds: Positive | None = None
    cameras: Count | None = None
    hours_a_day: Annotated[float, Meta(ge=0, le=24)] | None = None
    classes: tuple[UserClass, ...] = ()
    low: Annotated[float, Meta(ge=0, le=1)] | None = None
    high: Annotated[float, Meta(ge=1, le=1000)] | None = None

    @property
    def form(self) -> str:
        """Name the form: hours, clips, users, cameras or classes (empty if none is complete)."""
        forms = {
            "hours": self.hours is not None,
            "clips": self.clips is not None,
            "users": self.users is not None,
            "cameras": self.cameras is not None,
            "classes": bool(self.classes),
        }
        named = [name for name, there in forms.items() if there]
        return named[0] if len(named) == 1 else ""


class Prompt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Text around the video, in tokens of one call.

    Attributes:
        prefix: what every call repeats word for word (policy, instructions).
        question: what differs from call to call.
        output: the answer.
    """

    prefix: Tokens = 0.0
    question: Tokens = 0.0
    output: Tokens = 0.0


class Repetition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the same work comes back.

    Attributes:
        questions: questions asked about one video.
        views: times one video is watched, where each view would run the model again.
        duplicates: mean number of uploads of the same clip; the demand counts them all.
    """

    questions: AtLeastOne = 1.0
    views: AtLeastOne = 1.0
    duplicates: AtLeastOne = 1.0


class Workload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The job.

    Attributes:
        feature: the product capability that spends.
        task: one line for people.
        kind: understand video, transcribe speech, generate video or segment frames.
        latency: how long an answer may take.
        load: steady around the clock, daily (follows the sun), or spiky.
        peak_over_mean: the busiest hour over the mean hour.
        peak_streams: most live streams at the same time, where you know it; null is the mean times `peak_over_mean`.
        quality_floor: smallest acceptable quality relative to the plan as it is, 0 to 1, or null.
        source_class: names the kind of footage (the feature's name if empty); facts measured on one kind are not used for
            another.
        lengths: histogram of clip lengths; shares are normalised.
    """

    feature: Name
    demand: Demand
    task: str = ""
    kind: Literal["understand", "transcribe", "generate", "segment"] = "understand"
    source: Source = Source()
    lengths: tuple[Length, ...] = ()
    prompt: Prompt = Prompt()
    repetition: Repetition = Repetition()
    latency: LatencyClass = "minutes"
    load: Literal["steady", "daily", "spiky"] = "daily"
    peak_over_mean: AtLeastOne = 1.0
    peak_streams: AtLeastOne | None = None
    quality_floor: Share | None = None
    source_class: str = ""

    def check(self, where: str = "workload") -> None:
        """Refuse what the types let through.

        Raises:
            DocumentError: demand in no form or in two, a form half given, shares that sum to 0.
        """
        demand = self.demand
        if not demand.form:
            raise DocumentError(
                "say the demand in exactly one form",
                where=f"{where} $.demand",
                hint="hours; or clips and seconds; or users, sessions and seconds; or cameras and hours_a_day; or classes",
            )
        needs = {"clips": ("seconds",), "users": ("sessions", "seconds"), "cameras": ("hours_a_day",)}
        for field in needs.get(demand.form, ()):
            if getattr(demand, field) is None:
                raise DocumentError(
                    f"`{demand.form}` needs `{field}` beside it", where=f"{where} $.demand", hint=f"add {field}"
                )
        for field in _OWN_FIELDS:
            if field != demand.form and getattr(demand, field) is not None and field not in needs.get(demand.form, ()):
                raise DocumentError(
                    f"`{field}` says nothing beside `{demand.form}`", where=f"{where} $.demand", hint=f"remove {field}"
                )
        if self.lengths and demand.form not in {"hours", "cameras"}:
            raise DocumentError(
                f"lengths say nothing beside `{demand.form}`, whose seconds are in the demand",
                where=f"{where} $.lengths",
                hint="remove lengths, or say the demand in hours",
            )
        if self.lengths and sum(length.share for length in self.lengths) <= 0:
            raise DocumentError(
                "the shares of lengths sum to 0", where=f"{where} $.lengths", hint="give one a share above 0"
            )
        names = [user_class.name for user_class in demand.classes]
        if len(set(names)) != len(names):
            raise DocumentError(
                "two user classes have the same name", where=f"{where} $.demand.classes", hint="rename one"
            )

    @property
    def footage(self) -> str:
        """The kind of footage that measured facts must be of."""
        return self.source_class or self.feature

    @property
    def is_live(self) -> bool:
        """Whether each frame is answered as it comes, while the stream runs: segmenting in real time."""
        return self.kind == "segment" and self.latency == "realtime"

    @property
    def seconds_month(self) -> float:
        """Seconds of footage a month, before any stage and counting each view once."""
        demand = self.demand
        if demand.classes:
            return sum(c.users * c.sessions * c.seconds for c in demand.classes)
        if demand.hours is not None:
            return demand.hours * 3600
        if demand.clips is not None:
            return demand.clips * (demand.seconds or 0.0)
        if demand.users is not None:
            return demand.users * (demand.sessions or 0.0) * (demand.seconds or 0.0)
        return (demand.cameras or 0.0) * (demand.hours_a_day or 0.0) * 3600 * DAYS_A_MONTH

    @property
    def sessions_month(self) -> float | None:
        """Sessions or clips a month; None where the demand does not say."""
        demand = self.demand
        if demand.classes:
            return sum(c.users * c.sessions for c in demand.classes)
        if demand.users is not None:
            return demand.users * (demand.sessions or 0.0)
        return demand.clips

    @property
    def users_month(self) -> float:
        """Active users a month, 0 where the demand does not say."""
        if self.demand.classes:
            return sum(c.users for c in self.demand.classes)
        return self.demand.users or 0.0


def items_of(workload: Workload, facts: Facts) -> tuple[Item, ...]:
    """Turn a month's demand into classes of items, one `Item` for each user class.

    Lengths, and users from light to heavy, are classes on the last axis. Unsure demand (`low`, `high`) is drawn
    through the fact `demand.factor`.
    """
    demand = workload.demand
    factor, _ = facts.get("demand.factor", default=1.0)
    if demand.classes:
        return tuple(
            _item(workload, c.name, *_spread(c.users * c.sessions, c.seconds, c.spread), factor) for c in demand.classes
        )
    if demand.form in {"clips", "users"}:
        seconds = demand.seconds or 0.0
        count = workload.seconds_month / seconds
        return (_item(workload, "", count, seconds, factor),)
    lengths = workload.lengths or (Length(seconds=3600.0),)
    shares = sum(length.share for length in lengths)
    mean = sum(length.seconds * length.share for length in lengths) / shares
    clips = workload.seconds_month / mean
    if len(lengths) == 1:
        return (_item(workload, "", clips, lengths[0].seconds, factor),)
    import numpy as np

    seconds_each = np.array([length.seconds for length in lengths], float)
    counts = np.array([clips * length.share / shares for length in lengths], float)
    return (_item(workload, "", counts, seconds_each, factor),)


def _spread(sessions: float, seconds: float, sigma: float) -> tuple[Num, Num]:
    """Split a class's sessions over equally many users from light to heavy, log-normally, keeping the mean."""
    if sigma == 0:
        return sessions, seconds
    import numpy as np

    normal = NormalDist()
    middles = [math.exp(sigma * normal.inv_cdf((i + 0.5) / _BINS)) for i in range(_BINS)]
    weights = np.array(middles) / sum(middles)
    return sessions * weights, np.full(_BINS, seconds)


def _item(workload: Workload, source_class: str, count: Num, seconds: Num, factor: Num) -> Item:
    source, prompt, again = workload.source, workload.prompt, workload.repetition
    return Item(
        count=count * factor * again.views,
        seconds=seconds,
        frames=seconds * source.fps,
        audio_seconds=seconds if source.audio else 0.0,
        megabytes=seconds * source.megabits_per_second / 8,
        tokens_prefix=prompt.prefix,
        tokens_prompt=prompt.question,
        tokens_output=prompt.output,
        width_px=source.width,
        height_px=source.height,
        questions=again.questions,
        views=again.views,
        duplicates=again.duplicates,
        source_class=source_class,
        footage=workload.footage,
    )
