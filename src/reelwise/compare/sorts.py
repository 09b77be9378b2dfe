"""What sort of deployment a plan is, read off what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.hosts import Host
    from reelwise.option import OptionKind
    from reelwise.plan import Plan
    from reelwise.rates import Book

__all__ = ["kind_of"]

_ACCELERATORS = ("Inferentia", "Trainium", "TPU")
_BY_UNIT: dict[str, OptionKind] = {
    "image": "image_api",
    "block": "block_api",
    "minute": "video_api",
    "second": "video_api",
}


def kind_of(plan: Plan, book: Book) -> OptionKind:
    """Name the sort of deployment: of its one call, or a hybrid of several sorts."""
    hosts = {host.name: host for host in plan.hosts}
    kinds = [_of_host(hosts[call.host], book) if call.host else _of_model(call.model, book) for call in plan.of(Call)]
    distinct = list(dict.fromkeys(kinds))
    return distinct[0] if len(distinct) == 1 else "hybrid"


def _of_host(host: Host, book: Book) -> OptionKind:
    card = book.card(host.sku)
    if host.scale == "device":
        return "on_device"
    if host.scale == "serverless" or (card is not None and card.kind == "serverless"):
        return "serverless"
    if card is not None and card.gpu.startswith(_ACCELERATORS):
        return "accelerator"
    return "own_gpu" if card is None or card.gpu else "own_cpu"


def _of_model(model: str, book: Book) -> OptionKind:
    if book.is_language_model(model):
        return "token_model"
    card = book.card(model)
    if card is not None and card.kind == "speech":
        return "speech_api"
    if card is not None and card.kind == "video_generation":
        return "generation_api"
    if card is not None and not card.prices:
        return "video_api" if card.kind == "video" else "image_api"
    return _BY_UNIT.get(book.unit_of(model), "image_api")
