"""A filter made of options."""

from collections.abc import Iterable, Mapping, Sequence

from antiphon.context.v1.filter_pb2 import (
    FILTER_FAILURE_OPEN,
    Filter,
    FilterAction,
    FilterStage,
)
from antiphon_server.cli.console import fail, in_a_line
from antiphon_server.cli.rules.spelling import one_of

_KINDS = {
    field.name.replace("_", "-"): field.name
    for field in Filter.DESCRIPTOR.oneofs_by_name["kind"].fields
}
_OPTIONS = {
    "--term": ("terms", "terms"),
    "--part": ("terms", "parts"),
    "--category": ("personal-data", "categories"),
    "--region": ("personal-data", "regions"),
    "--tool": ("remote", "tool"),
}
"""Whose kind's they are, and which field each is."""
_REQUIRED = {"terms": "--term", "remote": "--tool"}


def made(
    name: str,
    kind: str,
    action: str,
    told: Mapping[str, Sequence[str] | str | None],
    stages: Sequence[str] | None,
    timeout_s: float,
    fails_open: bool,
) -> Filter:
    """The filter; ``told`` is what options of kinds say, by their names.

    Ends the command where options do not belong together.
    """
    given = {option: value for option, value in told.items() if value}
    it = Filter(
        name=name, action=FilterAction.Value(one_of("--action", FilterAction.DESCRIPTOR, action))
    )
    it.stages.extend(map(stage_of, stages or ()))
    if timeout_s:
        it.timeout.FromMilliseconds(round(timeout_s * 1000))
    if fails_open:
        it.on_failure = FILTER_FAILURE_OPEN
    said = getattr(it, _KINDS[_kind(kind, given)])
    said.SetInParent()
    for option, value in given.items():
        said.MergeFrom(type(said)(**{_OPTIONS[option][1]: value}))
    return it


def _kind(kind: str, given: Iterable[str]) -> str:
    """The one that is named, or whose options are given; ends the command where they differ."""
    named = [(_OPTIONS[option][0], option) for option in given]
    kind = kind or (named[0][0] if named else "")
    if kind not in _KINDS:
        fail(f"--kind: {in_a_line(kind) or 'say which'}: there are {', '.join(_KINDS)}", 2)
    for other, option in named:
        if other != kind:
            fail(f"{option} belongs to --kind {other}, not to {kind}", 2)
    if kind in _REQUIRED and not named:
        fail(f"--kind {kind} needs {_REQUIRED[kind]}", 2)
    return kind


def stage_of(word: str) -> FilterStage.ValueType:
    """Where something comes from; ends the command if it is no such place."""
    return FilterStage.Value(one_of("--in", FilterStage.DESCRIPTOR, word))
