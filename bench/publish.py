"""Write docs/bench.md from the results in bench/results.

    python bench/publish.py

`make nightly` runs the benches, keeps their JSON under bench/results and calls this.
"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results"

HEAD = """# Benchmarks

Written by `python bench/publish.py` from `bench/results/`; `make nightly` renews them. CPU seconds (user and system), medians, one
decode thread, on a shared machine of two cores: quote ratios, not seconds.
"""


def row(what: str, figure: str, bar: str, command: str) -> str:
    return f"| {what} | {figure} | {bar} | `{command}` |"


def price_rows(found: dict) -> list[str]:
    start, variants, draws = found["start_up"], found["variants"], found["draws"]
    command = "python bench/price.py"
    return [
        row("`import reelwise`", f"{start['import_reelwise_cpu_s']:.3f} s CPU", "0.1 s", command),
        row("`reelwise --help`", f"{start['help_cpu_s']:.3f} s CPU", "0.15 s", command),
        row("heavy modules it imports", start["help_imports_of_heavy_modules"].strip("[]") or "none", "none", command),
        row("one workload, once loaded", f"{found['price_one_workload_cpu_ms']:.3f} ms", "5 ms", command),
        row(
            f"{variants['plans']:,} plan variants, {variants['item_classes']} item classes",
            f"{variants['cpu_s']:.2f} s",
            "5 s",
            command,
        ),
        row(
            f"{draws['draws']:,} draws, {draws['item_classes']} classes", f"{draws['cpu_ms']:.0f} ms", "100 ms", command
        ),
    ]


def decode_rows(found: dict) -> list[str]:
    rows = []
    for clip in found["clips"]:
        command = (
            "python bench/decode.py"
            if clip["clip"].startswith("demo")
            else f"python bench/decode.py PATH/{clip['clip']}"
        )
        name = f"{clip['clip']}: {clip['width']}x{clip['height']} {clip['codec']}, {clip['seconds']:,.0f} s"
        for way, ratio in clip["ratio_to_ffmpeg"].items():
            rows.append(row(f"{name}; {way.replace('_', ' with ')}, against ffmpeg", f"{ratio:.2f}x", "1.15x", command))
        rows.append(row(f"{name}; peak memory", f"{clip['peak_rss_megabytes']:.0f} MB", "200 MB", command))
    return rows


def holds_rows(found: dict) -> list[str]:
    command = "python bench/holds.py"
    ratio, real = found["ratio"], found["realised_ratio_median"]
    what = f"{found['calls_about_video']} video calls and {found['calls'] - found['calls_about_video']} others, {found['rules']} rules"
    return [
        row(
            f"{what}: held / true cost, answers at their maximum",
            f"{ratio['lowest']:.2f} to {ratio['highest']:.3f}, median {ratio['median']:.3f}",
            "1.00 to 1.10",
            command,
        ),
        row("the same, input alone: highest", f"{found['input_ratio_highest']:.3f}", "", command),
        row(
            "the same with real answers of 7, 13 and 55 tokens: median (highest)",
            ", ".join(f"{real[p]:.2f} ({found['realised_ratio_highest'][p]:.2f})" for p in ("p10", "p50", "p90")),
            "",
            command,
        ),
        row(
            "one hold: median, worst",
            f"{found['hold_ms']['median']:.2f}, {found['hold_ms']['worst']:.2f} ms",
            "5 ms",
            command,
        ),
        row("first hold of a process, prices loaded", f"{found['first_hold_of_a_process_ms']:.0f} ms", "", command),
        row(
            f"reading a container, worst of {len(found['container_ms']['clips'])} clips",
            f"{found['container_ms']['cpu_ms_worst']:.1f} ms CPU, {found['container_ms']['ms_worst']:.1f} ms on the clock",
            "5 ms",
            f"{command} CLIP...",
        ),
    ]


def ledger_rows(found: dict) -> list[str]:
    rows = []
    whole = "python bench/ledger.py --parts "
    if "overshoot" in found:
        one = found["overshoot"]
        what = f"{one['operations']:,} operations, 1 to 256 callers, 4 scopes, threads and {one['processes']['processes']} processes: above a limit"
        rows.append(row(what, f"{one['overshoot_nano_usd']} nano-dollars", "0", f"{whole}overshoot"))
        what = f"denied though it fitted ({one['denials']:,} denials)"
        rows.append(row(what, str(one["false_denials"]), "0", f"{whole}overshoot"))
    if "simulation" in found:
        one = found["simulation"]
        done = one["seeds"] + one["failed"]
        what = f"{done:,} simulated runs: {one['crashes']:,} crashes, {one['cuts']:,} cuts of the log, {one['faults']:,} failed writes"
        rows.append(row(what, f"{one['failed']} broken, in {one['seconds']:.0f} s", "0 in 300 s", f"{whole}simulation"))
    if "kill" in found:
        one = found["kill"]
        what = f"{one['runs'] + len(one['failed'])} runs of two writers killed with SIGKILL, {one['acknowledged']:,} acknowledged rows"
        rows.append(row(what, f"{len(one['failed'])} broken", "0", f"{whole}kill"))
    if "memory" in found:
        one = found["memory"]
        figure = f"{one['hold_and_settle_us']:.1f} microseconds of CPU"
        rows.append(row("hold and settle on 4 budgets, in memory", figure, "5", f"{whole}memory"))
    if "durable" in found:
        one = found["durable"]
        for count in (1, 8):
            part = one[f"processes_{count}"]
            figure = f"{part['events_s']:,} ({part['cpu_us_event']:.0f} microseconds of CPU each; {part['of_bare_64']:.2f}x of bare)"
            what = f"durable events a second, {count} process{'es' if count > 1 else ''}, 4 budgets"
            rows.append(row(what, figure, "20,000 and 0.25x", f"{whole}durable"))
        bares = ", ".join(f"{figure:,} in batches of {batch}" for batch, figure in one["bare_rows_s"].items())
        rows.append(row("bare SQLite rows a second, same disk, same run", bares, "", f"{whole}durable"))
    if "rows" in found:
        one = found["rows"]
        command = f"{whole}rows --rows {one['rows']}"
        rows.append(row(f"bytes a row, {one['rows']:,} rows", f"{one['bytes_row']:.0f}", "120", command))
        for name, figures in one["queries"].items():
            rows.append(row(f"{name}: p95", f"{figures['p95_ms']:.1f} ms", "100 ms", command))
        if "verify_problems" in one:
            figure = f"{one['verify_problems']} differ ({one['verify_seconds']:.0f} s)"
            rows.append(row("all balances computed again", figure, "0", command))
    rows.append(row("load of the machine meanwhile (two cores)", f"{found['load']}", "", ""))
    return rows


def models_rows(found: dict) -> list[str]:
    command = "python bench/models.py"
    beside = found["landscape_against_general"]
    rows = [
        row(
            "embedded network, landscape against general, 720p frame to mask",
            f"{beside['ratio']:.2f}x as fast",
            "",
            command,
        )
    ]
    for name, one in found["quantize"].items():
        speed, alike = one["verdict"]["speed"], one["verdict"]["likeness"]
        said = "accepted" if one["verdict"]["accepted"] else "refused"
        figure = f"{speed['ratio']:.2f}x as fast, IoU {alike['mean']:.3f} (5th percentile {alike['p5']:.3f}): {said}"
        rows.append(row(f"{name} in 8 bits against 32", figure, "", command))
    for name, one in found["truth"].items():
        figure = f"IoU {one['mean']:.3f} (5th percentile {one['p5']:.3f})"
        rows.append(row(f"{name} against a drawn person's true outline, {one['frames']} frames", figure, "", command))
    for name, one in found["cold"].items():
        rows.append(
            row(f"{name}: from nothing to the first mask", f"{one['first_answer_seconds']:.2f} s", "1 s", command)
        )
    share = found["scan_person"]["exact"]["cpu_share"]
    rows.append(
        row(
            "`scan --method person` against decoding and measuring every picture, 720p",
            f"{share:.2f}x CPU",
            "",
            command,
        )
    )
    return rows


def live_engine_rows(found: dict) -> list[str]:
    command = "python bench/live_engine.py"
    hours = found["dollars"]
    first = [one["first_hour_share"] for one in hours]
    behind = max(one["inferences_behind_most"] for one in found["delay"])
    start, skip = found["first_mask"], found["skip_path"]
    return [
        row(
            f"dollars an hour, {len(hours)} simulated hours: spent of the price",
            f"{min(first):.1%} to {max(first):.1%}, dearest 60 minutes {max(one['dearest_hour_share'] for one in hours):.1%}",
            "95 to 100 %",
            f"{command} --parts dollars",
        ),
        row("frames without an answer in them", f"{sum(one['frames_unanswered'] for one in hours)}", "0", ""),
        row(
            "a model slower than the stream, ten simulated minutes: inferences behind",
            f"{behind} at most; oldest mask {', '.join(format(one['mask_age_most_last_minute'], '.1f') for one in found['delay'])} s "
            f"behind models of {', '.join(format(one['model_seconds'], '.1f') for one in found['delay'])} s",
            "1",
            f"{command} --parts delay",
        ),
        row(
            f"command to first mask, wall, {start['runs']} runs at a load of {start['load_average']:.1f}",
            f"{start['seconds_median']:.2f} s median, {start['seconds_least']:.2f} s least",
            "1 s",
            f"{command} --parts first",
        ),
        row(
            "CPU of a carried frame within the loop, 720p",
            f"{skip['skip_path_cpu_ms']['p50']:.2f} ms median",
            "0.8 ms",
            f"{command} --parts skip",
        ),
    ]


def run_faults_rows(found: dict) -> list[str]:
    command = "python bench/run_faults.py"
    cuts, calls = found["cut_streams_error"], found["calls"]
    return [
        row(f"{calls:,} calls with faults: charged twice", f"{found['double_charges']}", "0", command),
        row("attempts to calls", f"{found['attempts_to_calls']:.3f}", "1.10", command),
        row(
            f"{found['posted_exact']:,} calls settled by their usage: off by a nano-dollar or more",
            f"{found['posted_or_voided_wrong']}", "0", command,
        ),
        row(
            "what the invoice has besides, less the calls marked ambiguous",
            f"{found['undelivered_nano_on_the_invoice'] - found['ambiguous_nano_on_the_invoice']} nano-USD", "0", command,
        ),
        row(
            f"{found['cut_streams']:,} cut streams: off by more than 5 %; the worst",
            f"{found['cut_streams_off_by_more_than_5_percent']}; {cuts['max'] * 100:.1f} %", "0", command,
        ),
    ]  # fmt: skip


def run_rows(found: dict) -> list[str]:
    command = "python bench/run.py"
    every = found["all_facts_from_other_clips"]
    what = f"{found['plans']} plans x 2 halves of {found['clips']} drawn clips, model facts from the other half"
    rows = [
        row(f"estimate against metered cost: {what}, median", f"{found['error_median']:.1%}", "2 %", command),
        row("the same, within 5 %", f"{found['within_5_percent']} of {found['pairs']}", "all", command),
        row(f"the largest (`{_worst(found)}`)", f"{found['error_max']:.1%}", "5 %", command),
        row(
            "metered within the low and high that the estimate says",
            f"{found['metered_within_low_and_high']} of {found['pairs']}",
            "90 %",
            command,
        ),
        row("median, footage's facts too from the other half", f"{every['error_median']:.1%}", "", command),
        row("residual against the sandbox's invoice", f"{found['residual_nano']} nano-USD", "0", command),
    ]
    if "further" in found:
        more = found["further"]
        what = f"{more['plans']} further plans (caches, copies, a router, trimmed sound): median; within 5 %; largest; residual"
        figure = f"{more['error_median']:.1%}; {more['within_5_percent']} of {more['pairs']}; {more['error_max']:.0%} (copies); {more['residual_nano']} nano-USD"
        rows.append(row(what, figure, "", command))
    return rows


def _worst(found: dict) -> str:
    return max(found["rows"][: found["plans"]], key=lambda one: max(abs(error) for error in one["errors"]))["plan"]


def run_memory_rows(found: dict) -> list[str]:
    command = "python bench/run_memory.py"
    return [
        row(
            f"eight uploads at once, {way}: memory that they add, by MB of a file",
            "; ".join(f"{size}: {grown:.1f} MB" for size, grown in sizes.items()), "no growth with the file", command,
        )
        for way, sizes in found["grew_mb_by_size"].items()
    ]  # fmt: skip


def route_rows(found: dict) -> list[str]:
    command, rows = "python bench/route.py", []
    for name, title in (("gsm8k", "GSM8K"), ("mmlu", "MMLU, subjects not learned from")):
        one = found[name]
        low, high = one["interval95"]
        what = f"router, {title}, {one['rows']:,} rows: APGR; learned from {one['trained_on']}"
        figure = (
            f"{one['apgr_mean_of_deals']:.3f} ({low:.3f} to {high:.3f}); length alone {one['length_alone_apgr']:.3f}"
        )
        rows.append(row(what, figure, "0.60, reach 0.64", command))
        if "nested" in one:
            nested = one["nested"]
            figure = f"{nested['mean_apgr_of_parts']:.3f}, fixed {nested['the_same_of_the_fixed_recipe']:.3f}"
            rows.append(row(f"{title}: recipe chosen on the rows learned from", figure, "", f"{command} --nested"))
        if "with_embedding" in one:
            more = one["with_embedding"]
            added, (low, high) = more["added_of_deals"], more["added_interval95_of_deals"][0]
            figure = f"{more['apgr_mean_of_deals']:.3f}; added {min(added):+.3f} to {max(added):+.3f} (first deal {low:+.3f} to {high:+.3f})"
            rows.append(row(f"{title}: with the text encoder", figure, "", f"{command} --embedding text-encoder"))
    one = found["mmlu"]["halves_of_subjects"]
    for name, title in (("apgr_without", ""), ("apgr_with", ", with the text encoder")):
        if name in one:
            figure = f"{one[f'{name}_mean']:.3f} ({min(one[name]):.3f} to {max(one[name]):.3f})"
            rows.append(row(f"MMLU: {one['trained_on']}, {len(one[name])} halves{title}", figure, "", command))
    if "subjects_learned_from" in found["mmlu"]:
        one = found["mmlu"]["subjects_learned_from"]
        a, b = (sum(one[name]) / len(one[name]) for name in ("apgr_without", "apgr_with"))
        figure = f"{b:.3f} with the encoder, {a:.3f} without"
        rows.append(row(f"MMLU: {one['trained_on']}", figure, "", f"{command} --embedding text-encoder"))
    return rows


def cascade_rows(found: dict) -> list[str]:
    command, rows = "python bench/cascade.py", []
    for name, title, bar in (
        ("flash_and_llama_answers", "answers of two cheap models", "22 %, reach 16 %"),
        ("flash_answer_only", "the cheap model's answer alone", ""),
    ):
        one = found[name]
        low, high = one["interval95"]
        what = f"cascade, MMLU-Pro, Flash to Pro, {one['rows']:,} rows, {title}: share of Pro calls at 97 % of Pro"
        figure = f"{one['dear_share_mean_of_deals']:.1%} ({low:.1%} to {high:.1%})"
        rows.append(row(what, figure, bar, command))
        for way, bound in one.get("bounds", {"floor_for_as_many_rows": one.get("bound_on_as_many_rows")}).items():
            if bound and "held" in bound:
                figure = f"{bound['held']} of {bound['splits']}, at {bound['dear_share_mean']:.1%} Pro calls"
                what = f"the same, {way.replace('_percent', ' %').replace('_', ' ')}: random halves on which 97 % of Pro was kept"
                rows.append(row(what, figure, "95 of 100", command))
    return rows


def cache_rows(found: dict) -> list[str]:
    command, rows = "python bench/cache.py", []
    for bound, one in found["bounds"].items():
        what = f"answers to questions kept, bound {float(bound):.0%}, {one['pairs']:,} pairs: wrong among {one['hits']} hits"
        figure = (
            f"{one['error']:.1%} (95 % bound {one['error_upper95']:.1%}); {one['paraphrase_hits']} hits on paraphrases"
        )
        rows.append(row(what, figure, f"{float(bound):.0%}", command))
        repeats = one["repeats"]["case_space_order_mean"]
        rows.append(row("the same: repeats reworded by case, space and order", f"{repeats:.0%}", "60 %", command))
    return rows


def page() -> str:
    """Return the page that the kept results make."""
    parts = [HEAD]
    tables = (
        ("price", price_rows),
        ("decode", decode_rows),
        ("holds", holds_rows),
        ("ledger", ledger_rows),
        ("models", models_rows),
        ("live_engine", live_engine_rows),
        ("route", route_rows),
        ("cascade", cascade_rows),
        ("cache", cache_rows),
        ("run", run_rows),
        ("run_faults", run_faults_rows),
        ("run_memory", run_memory_rows),
    )
    for name, rows in tables:
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            continue
        found = json.loads(path.read_text())
        parts.append(f"## {name.replace('_', ' ').capitalize()}\n\nMeasured {found['day']} on {found['on']}.\n")
        parts.append("| what | figure | bar | command |\n|---|---|---|---|\n" + "\n".join(rows(found["result"])) + "\n")
    notes = RESULTS / "notes.md"
    if notes.is_file():
        parts.append(notes.read_text())
    return "\n".join(parts)


def main() -> None:
    (ROOT.parent / "docs" / "bench.md").write_text(page())


if __name__ == "__main__":
    main()
