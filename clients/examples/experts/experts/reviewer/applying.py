"""Hunks become lines of a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from experts.reviewer.diff import Hunk
from experts.reviewer.refusals import Refused

FAR = 200
"""How many lines away from where a hunk says it begins its lines are looked for."""


@dataclass(slots=True)
class Applied:
    """A file after a diff. Numbers of lines count from 1."""

    lines: list[str] = field(default_factory=list)
    added: set[int] = field(default_factory=set)
    """The lines that the diff adds."""
    kept: dict[int, int] = field(default_factory=dict)
    """Where the other lines were before, by where they are now."""

    def keep(self, line: str, old: int) -> None:
        """The next line is one that was there."""
        self.lines.append(line)
        self.kept[len(self.lines)] = old

    def add(self, line: str) -> None:
        """The next line is a new one."""
        self.lines.append(line)
        self.added.add(len(self.lines))


def applied(name: str, old: Sequence[str], hunks: Sequence[Hunk]) -> Applied:
    """The file's lines with the hunks; ``name`` is for people. Raises Refused."""
    result = Applied()
    at = 0
    for hunk in hunks:
        begin = _position(old, [line[1:] for line in hunk.lines if line[0] in " -"], hunk, at)
        if begin is None:
            raise Refused(f"The diff does not fit {name} at line {hunk.start}.")
        for number in range(at, begin):
            result.keep(old[number], number + 1)
        at = begin
        for line in hunk.lines:
            if line[0] == " ":
                result.keep(old[at], at + 1)
            elif line[0] == "+":
                result.add(line[1:])
            at += line[0] in " -"
    for number in range(at, len(old)):
        result.keep(old[number], number + 1)
    return result


def _position(old: Sequence[str], want: list[str], hunk: Hunk, least: int) -> int | None:
    """Where these lines stand: as said, else as near as can be."""
    said = hunk.start - 1
    if not want:
        return said if least <= said <= len(old) else None
    for far in range(FAR + 1):
        for begin in (said + far, said - far):
            if begin >= least and old[begin : begin + len(want)] == want:
                return begin
    return None
