"""The commented YAML that `reelwise init` writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.schemas import schema_path

if TYPE_CHECKING:
    from reelwise.cli.init import Answers

__all__ = ["render"]

_TOP = """\
# yaml-language-server: $schema={schema}
# What must be done and how often. `reelwise price` and `reelwise stack` read this file; every field is in the schema above.
feature: {feature} # the product capability that spends: the tag on every call and budget
task: {task}
kind: {kind} # understand, transcribe, generate or segment
"""

_QUESTIONS = """
# The four questions
latency: {latency} # 1. real-time? an answer within: realtime, seconds, minutes, hours, day
repetition: # 2. does the input repeat?
  questions: {questions} # asked about one video
  views: {views} # of one video that would each run the model
  duplicates: {duplicates} # mean uploads of the same clip
load: {load} # 3. and 4.: steady around the clock, daily, or spiky and unpredictable
peak_over_mean: {peak} # busiest hour over the mean hour; decides how many machines stand by
"""

_PROMPT = """
prompt: # tokens of one call
  prefix: {prefix} # word for word the same in every call: policy, instructions
  question: {question} # what differs from call to call
  output: {output} # the answer: the dearest tokens of all
"""

_PLAN = """
# How it is done now. Stages in order: keep gate reuse crop sample scale audio pack prompt send route call escalate
plan:
  stages:
    - {{{call}}}
"""

_REST = """
# What you know of your footage and models, with its source; `reelwise audit CLIP` measures it.
# facts:
#   gate.active_share: {value: 0.1, low: 0.05, high: 0.2, source: "a week of our cameras"}

# Levers to stack, in this order; without a list every lever that applies is tried.
# levers:
#   - {lever: downscale, long_side: 854}

# day: 2026-11-22 # the day whose prices hold; without it today's
"""


def render(answers: Answers, out: Path) -> str:
    """Write the answers as a commented YAML document for the place `out`."""
    parts = [
        _TOP.format(
            schema=_schema_from(out),
            feature=_text(answers.feature),
            task=_text(answers.task),
            kind=answers.kind,
        ),
        _demand(answers),
        _source(answers),
        _QUESTIONS.format(
            latency=answers.latency,
            questions=_number(answers.questions),
            views=_number(answers.views),
            duplicates=_number(answers.duplicates),
            load=answers.load,
            peak=_number(answers.peak_over_mean),
        ),
        _PROMPT.format(
            prefix=_number(answers.prefix),
            question=_number(answers.question_tokens),
            output=_number(answers.output_tokens),
        ),
        _PLAN.format(call=_call(answers)),
        _REST,
    ]
    return "".join(parts)


def _schema_from(out: Path) -> str:
    """Name the schema relative to the file where they share a project, and by its full path elsewhere."""
    schema, folder = schema_path("workload").resolve(), out.resolve().parent
    if schema.is_relative_to(folder):
        return Path(os.path.relpath(schema, folder)).as_posix()
    return schema.as_posix()


def _text(value: str) -> str:
    """Quote a text so that YAML reads it back as it is: JSON strings are YAML strings."""
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _demand(answers: Answers) -> str:
    lines = ["\ndemand: # a placeholder: put your own month" if answers.placeholder else "\ndemand: # of a month"]
    lines += [f"  {name}: {_number(value)}" for name, value in answers.demand.items()]
    if "hours" in answers.demand and answers.clip_seconds > 0:
        lines.append(f"lengths: # as long as {_text(answers.clip)}; give a histogram of your own")
        lines.append(f"  - {{seconds: {_number(answers.clip_seconds)}, share: 1}}")
    return "\n".join(lines) + "\n"


def _source(answers: Answers) -> str:
    read = f" # read from {_text(answers.clip)}" if answers.clip else ""
    always = "cameras" in answers.demand
    return "\n".join(
        [
            f"\nsource:{read}",
            f"  width: {answers.width}",
            f"  height: {answers.height}",
            f"  fps: {_number(answers.fps)}",
            f"  audio: {str(answers.audio).lower()}",
            f"  megabits_per_second: {_number(answers.megabits_per_second)}",
            f"  always_on: {str(always).lower()} # a camera that records whether or not anything happens",
            "",
        ]
    )


def _call(answers: Answers) -> str:
    parts = ["stage: call", f"model: {_text(answers.model)}"]
    if answers.kind == "transcribe":
        parts.append("part: audio")
    if answers.kind == "generate":
        parts += ["part: generate", "resolution: 1080p"]
    return ", ".join(parts)
