"""A unified diff, as `git diff` or `diff -u` writes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from experts.reviewer.paths import safe
from experts.reviewer.refusals import Refused

MAX_CHARACTERS = 200_000
MAX_FILES = 100
MAX_HUNKS = 500

_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1`*[ \t]*$", re.MULTILINE | re.DOTALL)
_BEGIN = re.compile(r"^(?:diff --git |--- .+\n\+\+\+ )", re.MULTILINE)
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@.*")
_MODE = re.compile(r"(new file |new |old |deleted file )mode |index ")
_NO_FILE = ("120000", "160000")  # links and submodules, by git's modes


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines, each behind " ", "-" or "+"; ``start`` is where they begin in the old file, from 1."""

    start: int
    lines: tuple[str, ...]


@dataclass(slots=True)
class Change:
    """What becomes of a file; ``old`` is empty for a new one, ``new`` for one that goes."""

    old: str
    new: str
    hunks: list[Hunk] = field(default_factory=list)


def diff_in(message: str) -> str:
    """The diff of a message: in fenced blocks, or as it stands; empty if there is none."""
    blocks = [block for _, block in _FENCED.findall(message) if _BEGIN.search(block)]
    text = "\n".join(blocks) if blocks else message
    begin = _BEGIN.search(text)
    return text[begin.start() :] if begin else ""


def changes(diff: str) -> list[Change]:
    """What the diff changes. Raises Refused."""
    if len(diff) > MAX_CHARACTERS:
        raise Refused(f"The diff has more than {MAX_CHARACTERS} characters.")
    found = list(_Parser(diff).changes())
    if len(found) > MAX_FILES or sum(len(change.hunks) for change in found) > MAX_HUNKS:
        raise Refused(f"The diff has more than {MAX_FILES} files or {MAX_HUNKS} hunks.")
    return found


class _Parser:
    """Reads line by line; what is between files is passed over."""

    def __init__(self, diff: str) -> None:
        self._lines = [line.removesuffix("\r") for line in diff.split("\n")]
        self._at = 0

    def changes(self) -> Iterator[Change]:
        change: Change | None = None
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("diff --git "):
                if change:
                    yield change
                change = self._git_header()
            elif line.startswith("--- ") and self._ahead().startswith("+++ "):
                if change and change.hunks:
                    yield change
                change = _named(line[4:], self._ahead()[4:])
                self._at += 2
            elif line.startswith("@@ ") and change:
                change.hunks.append(self._hunk())
            else:
                self._at += 1
        if change:
            yield change

    def _ahead(self) -> str:
        return self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""

    def _git_header(self) -> Change | None:
        """Up to the names or the next file; a change if it is a renaming without hunks."""
        names = {"rename from": "", "rename to": ""}
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(("diff --git ", "--- ", "@@ ")):
                break
            if _MODE.match(line) and line.endswith(_NO_FILE):
                raise Refused("The diff makes or changes a link or a submodule.")
            for name in names:
                if line.startswith(f"{name} "):
                    names[name] = safe(line.removeprefix(f"{name} "))
            self._at += 1
        return Change(names["rename from"], names["rename to"]) if all(names.values()) else None

    def _hunk(self) -> Hunk:
        found = _HUNK.fullmatch(self._lines[self._at])
        if found is None:
            raise Refused(f"Line {self._at + 1} of the diff should begin a hunk.")
        first = self._at + 1
        start, old, _, new = (int(number or 1) for number in found.groups())
        lines: list[str] = []
        self._at += 1
        while old or new:
            line = (self._lines[self._at] if self._at < len(self._lines) else "?") or " "
            old, new = old - (line[0] in " -"), new - (line[0] in " +")
            if line[0] not in " -+\\" or min(old, new) < 0:
                raise Refused(f"The hunk at line {first} of the diff is not as long as it says.")
            if line[0] != "\\":  # "\ No newline at end of file"
                lines.append(line)
            self._at += 1
        return Hunk(start + (found[2] == "0"), tuple(lines))


def _named(old: str, new: str) -> Change:
    """From two names; `a/` and `b/` before them are git's own."""
    old, new = (name.split("\t")[0].rstrip() for name in (old, new))
    prefixed = (old == _NOTHING or old.startswith("a/")) and (
        new == _NOTHING or new.startswith("b/")
    )
    old, new = ("" if it == _NOTHING else safe(it[2:] if prefixed else it) for it in (old, new))
    if not old and not new:
        raise Refused("The diff changes nothing into nothing.")
    return Change(old, new)


_NOTHING = "/dev/null"
