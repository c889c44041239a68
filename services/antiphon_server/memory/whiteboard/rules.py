"""What may be written on a whiteboard, and what comes of it: pure functions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from antiphon_server.memory.whiteboard.model import (
    MOST_IN_ALL,
    MOST_OF_SECTION,
    MOST_SECTIONS,
    NONE_YET,
    Change,
    Section,
    Whiteboard,
    Wish,
)
from antiphon_server.runtime.errors import DomainError, Reason


def text_of(wish: Wish, section: Section | None) -> str:
    """What a section says when it is written; what is appended stands in lines of its own."""
    if not wish.appends or section is None or not section.text:
        return wish.text
    return "\n".join((section.text.removesuffix("\n"), wish.text))


def written(whiteboard: Whiteboard, wish: Wish, text: str) -> Change | None:
    """The section's next version; None where it says that already.

    Raises DomainError ETAG_MISMATCH, LIMIT_EXCEEDED.
    """
    before = whiteboard.section(wish.name)
    if before is not None and before.text == text:
        return None
    _check_etag(before, wish.name, wish.etag)
    name = before.name if before is not None else wish.name
    section = Section(name, text, 0, "", wish.writer, before.create_us if before else 0, 0)
    _check_limits(whiteboard, before, section)
    return Change(wish.writer, section)


def deleted(whiteboard: Whiteboard, name: str, etag: str, writer: str) -> Change | None:
    """The version that takes the section away; None if it isn't there.

    Raises DomainError ETAG_MISMATCH.
    """
    before = whiteboard.section(name)
    if before is None:
        return None
    _check_etag(before, name, etag)
    return Change(writer, replace(before, text="", writer=writer, deleted=True))


def kept(whiteboard: Whiteboard, wanted: bool, writer: str) -> Change | None:
    """Whether it is kept from now on; None where that is so already."""
    return Change(writer, kept=wanted) if whiteboard.kept != wanted else None


def _check_etag(before: Section | None, name: str, etag: str) -> None:
    is_etag = before.etag if before is not None else NONE_YET
    if etag and etag != is_etag:
        raise DomainError(Reason.ETAG_MISMATCH, resource=f"section {name}")


def _check_limits(whiteboard: Whiteboard, before: Section | None, section: Section) -> None:
    if section.size > MOST_OF_SECTION:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_SECTION} bytes a section")
    if before is None and len(whiteboard.sections) >= MOST_SECTIONS:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_SECTIONS} sections a whiteboard")
    if whiteboard.size - (before.size if before else 0) + section.size > MOST_IN_ALL:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_IN_ALL} bytes a whiteboard")


def without(versions: Sequence[Section], writers: Collection[str]) -> Mapping[int, str]:
    """What is left of the versions of one section, the oldest first, without what some wrote.

    A line that one of them added goes, from later versions, too, where it stands unchanged. Those
    that change are named by their numbers.
    """
    gone, left, before = set[str](), dict[int, str](), frozenset[str]()
    for it in versions:
        lines = it.text.split("\n")
        if it.writer in writers:
            gone.update(line for line in lines if line not in before)
        before = frozenset(lines)
        stay = [line for line in lines if line not in gone or not line.strip()]
        if len(stay) != len(lines):
            text = "\n".join(stay)
            left[it.version] = text if text.strip() else ""
    return left
