"""The options of a text embedding, and how one is opened: from a file for nothing, or from an endpoint under a cap and the ledger."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelwise.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reelwise.route.embedding import Embedding

__all__ = ["embedding_option", "opened", "paid_options"]

F = TypeVar("F", bound="Callable[..., Any]")

embedding_option = click.option(
    "--embedding",
    default="",
    help="Learn from vectors of the text, too: text-encoder (reelwise models install text-encoder), a folder of a sentence encoder or of"
    " model2vec, a text file of word vectors, openai:MODEL or gemini:MODEL (billed). See how much it adds before you keep it.",
)


def paid_options(command: F) -> F:
    """Add what an embedding that is billed needs."""
    for option in (
        click.option(
            "--url",
            default="",
            help="Address of the embedding's endpoint, in place of the vendor's (it takes no key then).",
        ),
        click.option(
            "--ledger", "ledger_at", help="Where its calls are written. [default: REELWISE_LEDGER or reelwise.db]"
        ),
        click.option("--max-usd", type=click.FloatRange(min=0.0), help="The most that its calls may cost."),
    ):
        command = option(command)
    return command


@contextmanager
def opened(
    name: str,
    *,
    near: Path | None = None,
    dimension: int = 0,
    max_usd: float | None = None,
    ledger_at: str | None = None,
    url: str = "",
) -> Iterator[Embedding | None]:
    """Open an embedding by name, None for an empty one; what it cost is said when it is closed.

    Args:
        name: see `reelwise.route.embedding.EmbeddingFacts`.
        near: a folder that a relative path is looked for in, too.
        dimension: of the vectors that are expected; 0 for any.
        max_usd: the most that its calls may cost.
        ledger_at: where they are written.
        url: the endpoint's address.

    Raises:
        InputError: it cannot be opened.
        UnpricedError, UnknownModelError: a billed one without a price.
    """
    from reelwise.route.embedding import is_endpoint, open_embedding

    if not name or not is_endpoint(name):
        yield open_embedding(name, near) if name else None
        return
    import datetime as dt

    from reelwise.ledger.ledger import Ledger
    from reelwise.rates import Book
    from reelwise.run.embedding import EndpointEmbedding, MeteredCaller, endpoint_of
    from reelwise.run.settle import Cap

    book = Book.load(dt.datetime.now(tz=dt.UTC).date())
    endpoint = endpoint_of(name, url=url, key="" if url else None)
    with Ledger(ledger_at or os.environ.get("REELWISE_LEDGER") or "reelwise.db") as ledger, endpoint:
        cap = Cap(None if max_usd is None else round(max_usd * 1e9))
        caller = MeteredCaller(endpoint, book=book, ledger=ledger, cap=cap, feature="router", say=note)
        yield EndpointEmbedding(name, caller, dimension=dimension)
