"""A file of Markdown as passages, each below its heading and with its line."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

MAX_PASSAGE = 800
"""Characters; what is longer is parted at a blank line, or at the line's end if there is none."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BLOCK = re.compile(r" {0,3}([-*+>|#]|\d+[.)])")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a section."""

    path: str
    trail: tuple[str, ...]
    """The headings that it stands below, the outermost first."""
    anchor: str
    """Of the innermost, as it is linked to; empty before the first heading."""
    line: int
    text: str

    @property
    def place(self) -> str:
        """``guide.md#install, line 12``."""
        anchor = f"#{self.anchor}" if self.anchor else ""
        return f"{self.path}{anchor}, line {self.line}"


def passages(path: str, text: str) -> Iterator[Passage]:
    """The file's passages, from top to bottom; headings alone are none."""
    trail: list[tuple[int, str]] = []
    anchors: Counter[str] = Counter()
    anchor = ""
    for block in _blocks(text.splitlines()):
        if isinstance(block, _Heading):
            trail = [above for above in trail if above[0] < block.level]
            trail.append((block.level, block.text))
            anchor = _unique(slug(block.text), anchors)
            continue
        names = tuple(name for _, name in trail)
        for line, piece in _pieces(block):
            yield Passage(path, names, anchor, line, piece)


def slug(heading: str) -> str:
    """How a heading is linked to, as on GitHub."""
    plain = _LINK.sub(r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _unique(anchor: str, anchors: Counter[str]) -> str:
    anchors[anchor] += 1
    return anchor if anchors[anchor] == 1 else f"{anchor}-{anchors[anchor] - 1}"


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str


@dataclass(slots=True)
class _Body:
    line: int
    lines: list[str]
    gaps: set[int]
    """Which of its lines are blank and outside of code."""


def _blocks(lines: list[str]) -> Iterator[_Heading | _Body]:
    """Headings, and what stands between them."""
    start = _after_front_matter(lines)
    body = _Body(start + 1, [], set())
    fence = ""
    for number, line in enumerate(lines[start:], start + 1):
        opened = _FENCE.match(line)
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip(" `~") else fence
        elif opened:
            fence = opened[1]
        elif heading := _heading(line, body):
            yield body
            yield heading
            body = _Body(number + 1, [], set())
            continue
        elif not line.strip():
            body.gaps.add(len(body.lines))
        body.lines.append(line)
    yield body


def _heading(line: str, before: _Body) -> _Heading | None:
    if found := _HEADING.fullmatch(line):
        return _Heading(len(found[1]), found[2])
    above = before.lines[-1] if before.lines else ""
    alone = len(before.lines) < 2 or len(before.lines) - 2 in before.gaps
    under = _UNDERLINE.fullmatch(line)
    if under and alone and above.strip() and not _BLOCK.match(above):
        before.lines.pop()
        return _Heading(1 if "=" in under[1] else 2, above.strip())
    return None


def _after_front_matter(lines: list[str]) -> int:
    if lines[:1] == ["---"] and "---" in lines[1:]:
        return lines.index("---", 1) + 1
    return 0


def _pieces(body: _Body) -> Iterator[tuple[int, str]]:
    """Parts of at most about MAX_PASSAGE characters, with the line that each begins at."""
    first, gap, size = 0, 0, 0
    for at, line in enumerate(body.lines):
        size += len(line) + 1
        if size > MAX_PASSAGE and (gap > first or size > 2 * MAX_PASSAGE):
            end = gap if gap > first else at
            yield from _piece(body, first, end)
            first, size = end, sum(len(it) + 1 for it in body.lines[end : at + 1])
        if at in body.gaps:
            gap = at
    yield from _piece(body, first, len(body.lines))


def _piece(body: _Body, first: int, end: int) -> Iterator[tuple[int, str]]:
    while first < end and not body.lines[first].strip():
        first += 1
    text = "\n".join(body.lines[first:end]).rstrip()
    if text:
        yield body.line + first, text
