"""A bill says where the money is, and which levers act there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from reelwise.bills import BillAudit, BillLine, Fit, Group, audit_bill, bill_table, map_levers
from reelwise.bills.mapping import ACTS_ON, NAMES
from reelwise.errors import DocumentError
from reelwise.levers import kinds
from reelwise.rates import Book

HERE = Path(__file__).parent
BOOK = Book.load(dt.date(2026, 11, 22))


def audited(name: str) -> BillAudit:
    return audit_bill(HERE / f"{name}.csv", book=BOOK)


def fit(group: Group, lever: str) -> Fit:
    return next(one for one in group.fits if one.lever == lever)


def line(kind: str, usd: float, model: str = "", mode: str = "standard", quantity: float | None = None) -> BillLine:
    return msgspec.convert(
        {
            "service": "S",
            "sku": f"{kind} {mode}",
            "kind": kind,
            "usd": usd,
            "model": model,
            "mode": mode,
            "quantity": quantity,
        },
        BillLine,
    )


def test_every_lever_is_mapped_and_every_kind_has_a_name() -> None:
    assert set(ACTS_ON) == set(kinds())
    known = msgspec.json.schema(BillLine)["$defs"]["BillLine"]["properties"]["kind"]["enum"]
    assert set(known) == set(NAMES)
    assert {kind for acts in ACTS_ON.values() for kind in acts} <= set(NAMES)


@pytest.mark.parametrize("name", [path.stem for path in sorted(HERE.glob("*.csv"))])
def test_groups_are_ranked_by_size_and_add_up(name: str) -> None:
    found = audited(name)
    amounts = [group.usd for group in found.groups]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(amounts) == pytest.approx(found.total_usd)
    assert sum(group.share for group in found.groups if group.usd > 0) == pytest.approx(1.0)
    for group in found.groups:
        assert {one.lever for one in group.fits} == set(kinds())
        assert all(one.reason for one in group.fits)
    reach = [one.usd for one in found.levers]
    assert reach == sorted(reach, reverse=True)
    assert all(one.usd <= found.charged_usd * (1 + 1e-9) for one in found.levers)
    msgspec.json.encode(found)


def test_a_small_part_gets_no_credit() -> None:
    small, large = line("tokens_audio", 0.99), line("gpu", 99.01)
    groups = map_levers([small, large], BOOK)
    assert [group.kind for group in groups] == ["gpu", "tokens_audio"]
    assert not groups[1].credit
    assert not any(one.applies for one in groups[1].fits)
    assert fit(groups[1], "drop_audio").reason == "no credit: this is 0.99% of the bill"
    assert map_levers([line("tokens_audio", 1.0), line("gpu", 99.0)], BOOK)[1].credit


def test_a_lever_on_another_part_says_so() -> None:
    (group,) = map_levers([line("gpu", 10.0)], BOOK)
    assert fit(group, "trim_silence").reason == "acts on audio minutes, not on GPU hours"
    assert not fit(group, "batch_api").applies
    assert fit(group, "spot").applies


def test_batch_is_worth_what_the_list_prices_say() -> None:
    groups = map_levers(
        [line("tokens_output", 100.0, "gpt-5.4"), line("tokens_output", 50.0, "gpt-5.4", "batch")], BOOK
    )
    assert fit(groups[0], "batch_api").factor == pytest.approx(2.0)
    assert fit(groups[1], "batch_api").reason == "is billed as batch already"
    (cached,) = map_levers([line("tokens_cached", 10.0, "gemini-2.5-pro")], BOOK)
    assert not fit(cached, "batch_api").applies  # cached tokens keep the standard rate there
    (speech,) = map_levers([line("speech", 10.0, "whisper-1")], BOOK)
    assert not fit(speech, "batch_api").applies


def test_machines_are_not_made_spot_twice() -> None:
    groups = map_levers([line("gpu", 2.0, mode="spot"), line("compute", 1.0, mode="reserved")], BOOK)
    assert "already" in fit(groups[0], "spot").reason
    assert not fit(groups[0], "reserved").applies
    assert "already" in fit(groups[1], "reserved").reason
    assert fit(groups[1], "spot").applies


def test_routing_needs_a_cheaper_sibling() -> None:
    groups = map_levers(
        [line("tokens_output", 2.0, "gemini-2.5-pro"), line("tokens_output", 1.0, "gpt-5.4-nano")], BOOK
    )
    assert "gemini-2.5-flash" in fit(groups[0], "route").reason
    assert not fit(groups[1], "route").applies


def test_caching_looks_at_what_is_cached_already() -> None:
    mostly = [line("tokens_text", 9.0, "gpt-5.4", quantity=1e6), line("tokens_cached", 9.1, "gpt-5.4", quantity=9e6)]
    groups = map_levers(mostly, BOOK)
    text = next(group for group in groups if group.kind == "tokens_text")
    assert fit(text, "prompt_cache").reason == "90% of this model's input is read from a cache already"
    half = [line("tokens_text", 9.0, "gpt-5.4", quantity=1e6), line("tokens_cached", 9.1, "gpt-5.4", quantity=1e6)]
    assert fit(map_levers(half, BOOK)[1], "prompt_cache").applies


def test_downscaling_asks_the_token_rule() -> None:
    groups = map_levers(
        [line("tokens_video", 2.0, "gemini-2.5-pro"), line("tokens_video", 1.0, "gemini-3.8-flash")], BOOK
    )
    assert fit(groups[0], "downscale").applies
    assert "nothing saved" in fit(groups[1], "downscale").reason


def test_text_is_no_picture_where_the_bill_tells_them_apart() -> None:
    both = map_levers([line("tokens_text", 2.0, "gpt-5.4"), line("tokens_image", 1.0, "gpt-5.4")], BOOK)
    assert not fit(both[0], "sample_frames").applies
    alone = map_levers([line("tokens_text", 2.0, "gpt-5.4")], BOOK)
    assert "does not tell text from pictures" in fit(alone[0], "sample_frames").reason


def test_cliffs_are_known_for_some_models_only() -> None:
    groups = map_levers(
        [line("tokens_text", 2.0, "gemini-2.5-pro"), line("tokens_text", 1.0, "gemini-2.5-flash")], BOOK
    )
    assert "200,000" in fit(groups[0], "chunk_below_cliff").reason
    assert not fit(groups[1], "chunk_below_cliff").applies


def test_the_audit_says_what_it_knows() -> None:
    found = audited("openai_usage")
    assert found.listed
    assert "made-up-model, tokens_text" in found.unpriced
    assert any("list prices" in note for note in found.notes)
    assert any("1 day, not a month" in note for note in found.notes)
    aws = audited("aws_cur")
    assert (aws.start, aws.end) == ("2026-11-01", "2026-11-30")
    assert not any("not a month" in note for note in aws.notes)
    batch = next(one for one in audited("openai_costs").levers if one.lever == "batch_api")
    assert batch.usd == pytest.approx(1696.00)
    assert batch.usd_saved_listed == pytest.approx(848.00)


def test_nothing_that_has_a_price_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("model,input_tokens,output_tokens\nmade-up,10,10\n")
    with pytest.raises(DocumentError, match="no list price"):
        audit_bill(path)


def test_the_table_is_for_people() -> None:
    text = bill_table(audited("aws_cur"))
    assert "3,000.00 USD (as billed)" in text
    assert text.index("BoxUsage:g4dn.xlarge") < text.index("USE1-DetectLabels") < text.index("DataTransfer-Out-Bytes")
    assert "Levers overlap" in text
    usage = bill_table(audited("openai_usage"))
    assert "(list prices)" in usage
    assert "no list price: made-up-model" in usage


def test_a_long_bill_is_cut_short_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"
    rows = "\n".join(
        f"{100 - n},Service,2026-11-01,storage of thing number {n} with a rather long name" for n in range(40)
    )
    path.write_text(f"BilledCost,ServiceName,ChargePeriodStart,ChargeDescription\n{rows}\n")
    text = bill_table(audit_bill(path))
    assert "and 15 smaller parts" in text
    assert "…" in text
