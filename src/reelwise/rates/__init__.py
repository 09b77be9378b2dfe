"""Prices: language models from a package, everything else from rate cards with sources and dates, your own on top.

book = Book.load(datetime.date(2026, 11, 22))
for usage, rate in book.price_request(request):
    usd = amount(rate, usage.quantity)
"""

from __future__ import annotations

from reelwise.rates.book import Book
from reelwise.rates.cards import Entry
from reelwise.rates.changes import Change, changed
from reelwise.rates.listing import Listing
from reelwise.rates.rate import Rate, Tier, amount

__all__ = ["Book", "Change", "Entry", "Listing", "Rate", "Tier", "amount", "changed"]
