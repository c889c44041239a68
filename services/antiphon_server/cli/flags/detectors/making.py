"""A detector made of options."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.context.v1.anomaly_pb2 import AnomalySubject, Detector, FlagEffect
from antiphon_server.cli.console import fail, in_a_line
from antiphon_server.cli.rules.spelling import one_of

_KINDS = {
    field.name.replace("_", "-"): field
    for field in Detector.DESCRIPTOR.oneofs_by_name["kind"].fields
}
_MOST = ("most", "most_tokens")


@dataclass(frozen=True, slots=True)
class Told:
    """What options say of one; None where one says nothing."""

    kind: str
    about: str
    most: int | None
    times: float | None
    window_s: float | None
    effect: str
    effect_s: float | None
    per_minute: int | None


def made(name: str, told: Told) -> Detector:
    """The detector; ends the command where options do not belong together."""
    if told.kind not in _KINDS:
        fail(f"--kind {in_a_line(told.kind)}: there are {', '.join(_KINDS)}", 2)
    _check(told)
    if told.per_minute and told.effect != "throttle":
        fail("--per-minute belongs to --effect throttle", 2)
    it = Detector(
        name=name,
        subject=AnomalySubject.Value(one_of("--about", AnomalySubject.DESCRIPTOR, told.about)),
        effect=FlagEffect.Value(one_of("--effect", FlagEffect.DESCRIPTOR, told.effect)),
        throttle_per_minute=told.per_minute or 0,
    )
    for field, seconds in ((it.window, told.window_s), (it.effect_duration, told.effect_s)):
        if seconds:
            field.FromMilliseconds(round(seconds * 1000))
    said = getattr(it, _KINDS[told.kind].name)
    said.SetInParent()
    _put(said, told.kind, "--most", _MOST, told.most)
    _put(said, told.kind, "--times", ("times",), told.times)
    return it


def _check(told: Told) -> None:
    """Ends the command where a figure is none: in the contract 0 stands for what is usual."""
    figures = {
        "--most": told.most,
        "--times": told.times,
        "--window": told.window_s,
        "--for": told.effect_s,
        "--per-minute": told.per_minute,
    }
    for option, value in figures.items():
        if value is not None and value <= 0:
            fail(f"{option} {value:g}: write more than 0, or leave it out for what is usual", 2)


def _put(said: Any, kind: str, option: str, names: Sequence[str], value: float | None) -> None:
    if not value:
        return
    name = next((it for it in names if it in said.DESCRIPTOR.fields_by_name), None)
    if name is None:
        fail(f"{option} means nothing to --kind {kind}", 2)
    try:
        setattr(said, name, value)
    except ValueError:
        fail(f"{option} {value}: is too large", 2)
    if math.isinf(value):
        fail(f"{option} {value}: is no number", 2)
