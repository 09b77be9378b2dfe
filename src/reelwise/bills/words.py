"""From the words of a bill to what is billed, how, and which model: the only place that guesses, by written rules."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from reelwise.bills.line import Kind, Mode

__all__ = ["kind_of", "mode_of", "model_of", "token_kind"]

_I = re.IGNORECASE

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "other",
        re.compile(r"\btax\b|\bvat\b|refund|premium support|support plan|\bcredit\b|marketplace fee|rounding", _I),
    ),
    ("cache_storage", re.compile(r"cach\w*[ _-]*(?:token )?storage|storage.*cach(?:ed|ing)", _I)),
    ("egress", re.compile(r"egress|data ?transfer.*out|out-bytes|transfer out|outbound|internet out|bandwidth", _I)),
    ("generation", re.compile(r"\bveo\b|\bveo-|\bsora\b|video generation|runway|kling|dream machine|hailuo", _I)),
    ("speech", re.compile(r"whisper|transcri|speech|deepgram|\bnova-[23]|assemblyai|chirp|voxtral|\bscribe", _I)),
    (
        "tokens",
        re.compile(r"tokens?\b|token count|,\s*(?:cached )?(?:input|output)|cache_(?:read|write)|input_no_cache", _I),
    ),
    ("vision", re.compile(r"rekognition|\bvision\b|video intelligence|video analy|face detect|label detect", _I)),
    (
        "gpu",
        re.compile(
            r"\b(?:p[2-6]|g[3-7])[a-z-]*\d*\.\w*(?:large|metal)|\b(?:inf|trn)\d\w*\.\w+|\b(?:a2|a3|a4|g2|g4)-\w+-\d|"
            r"\b(?:a10g?|a100|h100|h200|b200|gb200|l4|l40s?|t4|v100|rtx ?\w*|gpus?|tpu\w*)\b|standard_n[cdv]\w+",
            _I,
        ),
    ),
    ("storage", re.compile(r"timedstorage|byte-?hrs|storage|gb-mo|byte month|volumeusage|snapshot|blob", _I)),
    (
        "compute",
        re.compile(r"boxusage|spotusage|instance|\bcores?\b|\bram\b|vcpu|compute|\bec2\b|cpu|virtual machine", _I),
    ),
    ("tokens", re.compile(r"\b(?:input|output|prompt|completion)\b", _I)),
)

_TOKENS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("tokens_cache_write", re.compile(r"cache[ _-]*(?:write|creation)|write.*cache", _I)),
    ("tokens_cached", re.compile(r"cache[ _-]*(?:read|hit)|cached|read.*cache", _I)),
    ("tokens_output", re.compile(r"output|completion|response|generated", _I)),
    ("tokens_video", re.compile(r"video", _I)),
    ("tokens_audio", re.compile(r"audio", _I)),
    ("tokens_image", re.compile(r"image|picture", _I)),
)

_MODES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("batch", re.compile(r"\bbatch", _I)),
    ("flex", re.compile(r"\bflex\b", _I)),
    ("priority", re.compile(r"\bpriority\b", _I)),
    ("spot", re.compile(r"spotusage|\bspot\b|preemptible", _I)),
    ("reserved", re.compile(r"reserved|commitment|committed|savings ?plan|heavyusage|\bcud\b", _I)),
)

_MODEL = re.compile(
    r"(?:gemini[- ]\d(?:\.\d)?[- ](?:pro|flash|argon)(?:[- ]lite)?(?:[- ]preview)?"
    r"|claude[- ](?:\d(?:[.-]\d)?[- ])?(?:opus|sonnet|haiku|fable|mythos)(?:[- ]\d(?:[.-]\d)?)?"
    r"|(?:chatgpt|gpt)[- ]?\d[\w.]*(?:[- ](?:mini|nano|pro|sol|terra|luna|astra|audio|realtime|transcribe))*"
    r"|o[134](?:-mini|-pro)?\b|whisper-1)",
    _I,
)
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{4})$")


def kind_of(text: str) -> Kind:
    """Say what a line is billed for, from all its words; `other` where no rule fits."""
    for name, pattern in _KINDS:
        if pattern.search(text):
            return token_kind(text) if name == "tokens" else cast("Kind", name)
    return "other"


def token_kind(text: str) -> Kind:
    """Say which tokens: cached before output, output before what was read; plain input is text."""
    return cast("Kind", next((name for name, pattern in _TOKENS if pattern.search(text)), "tokens_text"))


def mode_of(text: str) -> Mode:
    """Say how it is billed."""
    return cast("Mode", next((name for name, pattern in _MODES if pattern.search(text)), "standard"))


@lru_cache(maxsize=4096)
def model_of(text: str) -> str:
    """Find a model's name in the words of a bill, as Reelwise prices it; empty where there is none."""
    found = _MODEL.search(text)
    if not found:
        return ""
    from reelwise.rates import language as llm

    name = found[0].lower().replace(" ", "-")
    plain = _DATED.sub("", name)
    dashed = plain.replace(".", "-")
    tries = (dashed if plain.startswith("claude") else plain, dashed, f"{plain}-preview", name)
    return next((one for one in tries if llm.find(one) is not None), plain)
