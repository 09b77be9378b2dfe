"""What Google's vision APIs share: what is bought is named by its rate card, and only one kind of thing can be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.endpoint import Endpoint

if TYPE_CHECKING:
    from reelwise.models.work import Clip, Picture, Work

__all__ = ["Trouble", "Vision"]


class Trouble(Struct):
    """What an answer says went wrong with one thing that was sent; code 0 is nothing."""

    code: int = 0
    message: str = ""


class Vision(Endpoint):
    """A vision API of Google's; see `Endpoint` for the arguments. A work's model is the id of a rate card, google/vision/label."""

    provider = "google"
    sells: ClassVar[dict[str, str]] = {}
    """What can be bought, by rate card, and the API's own word for it."""

    def given(self, work: Work, kind: type[Picture | Clip], most: int = 1) -> tuple[str, list[Any]]:
        """Return the API's word for what a work buys, and the parts that are sent.

        Raises:
            InputError: not sold here, or anything else than 1 to `most` parts of that kind: words are not sent, so none are taken.
        """
        work.check()
        feature = self.sells.get(work.model)
        if feature is None:
            raise InputError(f"sells no {work.model!r:.60}", where=self.name, hint=", ".join(self.sells))
        parts = [part for part in work.parts if isinstance(part, kind)]
        if not 1 <= len(parts) <= most or len(parts) != len(work.parts):
            name = kind.__name__.lower()
            wanted = f"one {name}" if most == 1 else f"1 to {most} {name}s"
            raise InputError(f"wants {wanted}, and nothing else", where=self.name, hint=f"a Work with {wanted}")
        return feature, parts

    def said(self, trouble: Trouble) -> str:
        """Return what an answer says went wrong, without keys."""
        return self._key.scrub(trouble.message)[:200]
