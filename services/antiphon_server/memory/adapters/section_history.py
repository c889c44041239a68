"""What sections of a whiteboard were, without what some have written, within a transaction."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon_server.memory.adapters.tables import section_versions
from antiphon_server.memory.whiteboard.model import Section, SectionKey, Whiteboard
from antiphon_server.memory.whiteboard.rules import without

_THEM = section_versions.c
_OF_BOARD = _THEM.conversation_id == bindparam("b_conversation")
_ALL = select(section_versions).where(_OF_BOARD).order_by(_THEM.version)
_THIS = (_OF_BOARD, _THEM.version == bindparam("b_version"))
_SET = update(section_versions).where(*_THIS).values(text=bindparam("b_text"))
_DROP = delete(section_versions).where(*_THIS)


def erase_history(
    connection: Connection, board: Whiteboard, writers: Collection[str]
) -> Mapping[int, str]:
    """Take it away; what is left of the versions that had it, by their numbers.

    What stands on the board counts, too, also where the history has it no more.
    """
    versions = dict[SectionKey, dict[int, Section]]()
    for row in connection.execute(_ALL, {"b_conversation": board.conversation_id}):
        versions.setdefault(SectionKey(row.key), {})[row.version] = _version(row)
    for it in board.sections:
        versions.setdefault(it.key, {})[it.version] = it
    found = dict[int, str]()
    for each in versions.values():
        found |= without([each[it] for it in sorted(each)], writers)
    for version, text in found.items():
        at = {"b_conversation": board.conversation_id, "b_version": version}
        if text:
            connection.execute(_SET, {**at, "b_text": text.encode()})
        else:
            connection.execute(_DROP, at)
    return found


def _version(row: Any) -> Section:
    found = Section(row.name, bytes(row.text).decode(), row.version, "", row.writer, 0, 0)
    return replace(found, deleted=bool(row.deleted))
