"""Flags as people read them."""

from collections.abc import Iterator, Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.context.v1.anomaly_pb2 import FLAG_EFFECT_THROTTLE, Flag, FlagEffect
from antiphon_server.cli.encoding import local_time
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.rules.options import these

HEADINGS = ("last", "flag", "detector", "who", "saw", "times", "does")
_TIME = "%Y-%m-%d %H:%M"
_TO_THE_SECOND = "%Y-%m-%d %H:%M:%S"
_UNITS = {
    "rate": "messages",
    "repetition": "times",
    "verdicts": "verdicts",
    "cost": "tokens",
}
_EXACT = {"most", "hour", "share", "known_places", "hours_seen"}
_TOLD_FROM = 1.1
_SAYS = {
    "messages": "messages in its window",
    "times": "times the same in its window",
    "verdicts": "verdicts of filters in its window",
    "tokens": "tokens in its window",
    "most": "would be too many for anybody",
    "usual": "are usual here, in windows in which there were any",
    "known_places": "networks known before",
    "seconds_apart": "seconds since the last sign-in, from elsewhere",
    "hour": "the hour of the day, in UTC",
    "share": "of all that was said is said about that hour",
    "hours_seen": "hours in which something was said",
}
"""What the figures of evidence are, by the names that the contract's comments give them."""


def row_of(it: Flag, who: str) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`HEADINGS` say."""
    last = local_time(it.last_time, _TIME)
    return last, it.flag_id, it.detector, who, saw(it), str(it.count), does(it)


def saw(it: Flag) -> str:
    """What its detector counted, in a few words."""
    told = dict(it.evidence)
    if unit := _UNITS.get(it.kind):
        usual = f", usually {_number(told['usual'])}" if told.get("usual") else ""
        most, many = told.get("most", 0), told.get(unit, 0)
        return f"{_about(many)} {unit}, {_number(most)} are too many{usual}"
    if it.kind == "new_place":
        return f"a new network, {_number(told.get('seconds_apart', 0))} s after another"
    if it.kind == "odd_hours":
        return f"speaks at {_number(told.get('hour', 0))} h UTC, {told.get('share', 0):.1%} of all"
    return _listed(told)


def does(it: Flag) -> str:
    """What the flag does, or that it was cleared."""
    if it.HasField("clear_time"):
        return "cleared"
    effect = name_of(FlagEffect, "FLAG_EFFECT_", it.effect)
    if it.effect != FLAG_EFFECT_THROTTLE:
        return "nothing" if effect == "none" else effect
    end = local_time(it.effect_end_time, "%H:%M")
    return f"throttles to {it.throttle_per_minute} a minute until {end}"


def pairs_of(it: Flag, who: str, cleared_by: str) -> Iterator[tuple[str, str]]:
    """All of it, each with what it is."""
    yield "flag", it.flag_id
    yield "of", f"{who} ({it.subject})" if who != it.subject else who
    yield "by", f"detector {it.detector} ({it.kind}) {these(it.parent)}"
    yield "score", f"{it.score:.2f}{_over(it)}"
    for key in sorted(it.evidence, key=_place):
        figure = _number if key in _EXACT or key not in _SAYS else _about
        yield "", f"{figure(it.evidence[key])} {_SAYS.get(key, key)}"
    yield "over", f"{it.count} times from {_time(it.first_time)} to {_time(it.last_time)}"
    if where := " ".join(filter(None, (it.workspace_id, it.conversation_id))):
        yield "first in", where
    yield "does", does(it)
    if it.HasField("clear_time"):
        yield "cleared", f"{_time(it.clear_time)} by {cleared_by}: {it.clear_reason}"


def _over(it: Flag) -> str:
    """How many times the bound was reached, which the score doesn't tell: it ends at 1."""
    many, most = it.evidence.get(_UNITS.get(it.kind, ""), 0), it.evidence.get("most", 0)
    if not most or many < most * _TOLD_FROM:
        return ""
    return f" ({many / most:.1f} times what is too many for anybody)"


def _about(value: float) -> str:
    """Whole, and so told where it isn't: of the window before as much counts as lies within."""
    return f"about {value:,.0f}" if 1 <= value != int(value) else _number(value)


def _place(key: str) -> int:
    return list(_SAYS).index(key) if key in _SAYS else len(_SAYS)


def _time(it: Timestamp) -> str:
    return local_time(it, _TO_THE_SECOND)


def _listed(told: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {_number(value)}" for key, value in sorted(told.items()))


def _number(value: float) -> str:
    """Without what nobody reads: 61, 3.4, 0.012, 1,000,000."""
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}"
