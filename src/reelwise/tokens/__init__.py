"""Pixels and seconds -> billable tokens: one file per model family, every rule with its source and date."""

from __future__ import annotations

from reelwise.tokens.catalogue import rule, rules
from reelwise.tokens.count import Count, count
from reelwise.tokens.models import MATCHES, Match, rule_for
from reelwise.tokens.resize import cheapest_size
from reelwise.tokens.rule import Rule, TokenRule

__all__ = ["MATCHES", "Count", "Match", "Rule", "TokenRule", "cheapest_size", "count", "rule", "rule_for", "rules"]
