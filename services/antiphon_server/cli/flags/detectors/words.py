"""Detectors as people read them."""

from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.anomaly_pb2 import (
    FLAG_EFFECT_THROTTLE,
    AnomalySubject,
    Detector,
    FlagEffect,
)
from antiphon_server.cli.kinds import name_of

HEADINGS = ("detector", "state", "watches", "of each", "within", "a flag", "for")
_MOST = {
    "rate": ("messages", 60),
    "repetition": ("times the same", 10),
    "verdicts": ("verdicts", 5),
    "cost": ("tokens", 1_000_000),
}
"""What each kind counts, and how many are too many unless it says so itself."""
_WITHIN_S = {"rate": 60, "repetition": 300, "verdicts": 600, "cost": 600}
_HOUR_S = 3600
_EFFECT_S = 600
_PER_MINUTE = 2


def row_of(it: Detector) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`HEADINGS` say."""
    kind = it.WhichOneof("kind") or ""
    return (
        it.name,
        "off" if it.disabled else "on",
        watches(it, kind),
        name_of(AnomalySubject, "ANOMALY_SUBJECT_", it.subject or 1),
        _seconds(it.window, _WITHIN_S.get(kind, _HOUR_S)),
        effect(it),
        _seconds(it.effect_duration, _EFFECT_S) if it.effect > 1 else "",
    )


def watches(it: Detector, kind: str) -> str:
    """What it counts, and how many are too many."""
    if kind not in _MOST:
        return kind.replace("_", " ") or "(of a newer server)"
    unit, most = _MOST[kind]
    said = getattr(it, kind)
    own = said.most_tokens if kind == "cost" else said.most
    return f"{kind}: {own or most:,} {unit}"


def effect(it: Detector) -> str:
    """What a flag of it does."""
    if it.effect == FLAG_EFFECT_THROTTLE:
        return f"throttles to {it.throttle_per_minute or _PER_MINUTE} a minute"
    name = name_of(FlagEffect, "FLAG_EFFECT_", it.effect or 1)
    return "is seen" if name == "none" else "is for review" if name == "review" else name


def _seconds(it: Duration, unsaid: float) -> str:
    return f"{it.ToMilliseconds() / 1000 or unsaid:g} s"
