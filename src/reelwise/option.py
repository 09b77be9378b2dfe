"""One way to deploy a job: what `reelwise compare` puts beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from reelwise.account import Limit
from reelwise.errors import DocumentError
from reelwise.evidence import Fact
from reelwise.fee import Fee
from reelwise.hosts import Host
from reelwise.plan import Plan
from reelwise.stages import AnyStage, Call, Escalate, Sample

if TYPE_CHECKING:
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Option", "OptionKind"]

OptionKind = Literal[
    "image_api", "video_api", "block_api", "token_model", "speech_api", "generation_api", "own_gpu", "accelerator", "own_cpu",
    "serverless", "on_device", "hybrid",
]  # fmt: skip


class Option(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan by name, whole or in short.

    In short it is one call: to `model` (an API), to `host` (a machine), or to the machine `first` with what it is unsure of passed
    on to `model` or `host`.

    Attributes:
        name: for people, and for `--option`.
        plan: the whole plan; or
        model: what is called, as in a call; or
        host: the machine that does it; or
        first: the machine that is asked first, before `model` or `host`: edge first, the cloud for the hard share.
        fps: frames a second that are sampled; null takes every frame.
        stages: further stages in front of the call: what is kept, what is sent.
        fees: fixed amounts a month that come with it.
        limits: quotas that come with it.
        facts: what holds for this option only: the time to an answer of its endpoint, the speed of its machine.
        quality: relative to the plan as it is, 0 to 1; a fact `quality.option.NAME` goes before it.
        kind: what sort of deployment it is; null is read off the plan.
        note: for people.
    """

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    plan: Plan | None = None
    model: str | None = None
    host: Host | None = None
    first: Host | None = None
    fps: Annotated[float, Meta(gt=0, le=240)] | None = None
    stages: tuple[AnyStage, ...] = ()
    fees: tuple[Fee, ...] = ()
    limits: tuple[Limit, ...] = ()
    facts: dict[str, float | Fact] = {}
    quality: Annotated[float, Meta(ge=0, le=1)] | Fact | None = None
    kind: OptionKind | None = None
    note: str = ""

    def check(self, where: str) -> None:
        """Refuse an option that says its plan in two ways, or in none.

        Raises:
            DocumentError: see the message; or the plan itself cannot be.
        """
        for at, limit in enumerate(self.limits):
            limit.check(f"{where}.limits[{at}]")
        ways = [name for name in ("plan", "model", "host") if getattr(self, name) is not None]
        if len(ways) != 1:
            raise DocumentError(
                f"say how `{self.name}` is done in one way" + (f", not in {' and '.join(ways)}" if ways else ""),
                where=where,
                hint="give `plan`; or `model`; or `host`; with `first` before the last two",
            )
        short = [name for name in ("first", "fps", "stages", "fees") if getattr(self, name)]
        if self.plan is not None:
            if short:
                raise DocumentError(
                    f"`{short[0]}` is for the short form, and `{self.name}` has a whole plan",
                    where=where,
                    hint=f"write it into the plan, or leave `{short[0]}` out",
                )
            self.plan.check(f"{where}.plan")
        if any(isinstance(stage, Call) for stage in self.stages):
            raise DocumentError(
                "`stages` are in front of the call, and a call is among them", where=where, hint="write a whole plan"
            )
        if self.first is not None and self.host is not None and self.first.name == self.host.name:
            raise DocumentError("two hosts have the same name", where=where, hint="rename one")

    def as_plan(self, workload: Workload, book: Book) -> Plan:
        """Write the option out as a plan.

        Raises:
            DocumentError: stages or hosts that cannot be.
        """
        if self.plan is not None:
            return self.plan
        stages: list[AnyStage] = list(self.stages)
        if self.fps is not None:
            stages.append(Sample(fps=self.fps))
        call = self._call(workload, book)
        hosts = [host for host in (self.first, self.host) if host is not None]
        if self.first is None:
            stages.append(call)
        else:
            escalate = Escalate(lane="main")
            stages += [Call(host=self.first.name, lane="main"), escalate, replace(call, lane=escalate.to)]
        lanes = {"doubt"} if self.first is not None else set()
        stages.sort(key=lambda stage: Escalate.slot + 1 if stage.lane in lanes else stage.slot)
        plan = Plan(stages=tuple(stages), hosts=tuple(hosts), fees=self.fees)
        plan.check(f"option {self.name}")
        return plan

    def _call(self, workload: Workload, book: Book) -> Call:
        if self.host is not None:
            return Call(host=self.host.name)
        model = self.model or ""
        if workload.kind == "transcribe":
            return Call(model=model, part="audio")
        if workload.kind == "generate":
            return Call(model=model, part="generate", resolution="1080p")
        if workload.kind == "segment" and book.is_language_model(model):
            return Call(model=model, part="images", pictures_a_call=1)  # each frame has its own mask
        return Call(model=model)
