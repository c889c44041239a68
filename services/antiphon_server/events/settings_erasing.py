"""Erasing what a conversation was called and told, wherever events tell of it."""

from collections.abc import Collection, Mapping
from typing import Protocol

from antiphon_server.events.log import MAX_PAGE_BYTES, EventLog
from antiphon_server.events.model import NewEvent, Offset, Record, Redaction, Scope

PAGE_EVENTS = 1000
AT_ONCE = 500


class Settings(Protocol):
    """Knows where in events settings of conversations are."""

    @property
    def kinds(self) -> Collection[int]:
        """In which kinds of a conversation's own log."""
        ...

    def without_settings(self, kind: int, body: bytes) -> bytes:
        """What is left of a serialised event; the same where nothing is to go."""
        ...

    def has_settings(self, record: Record) -> bool:
        """Whether anything is to go."""
        ...

    def told(self, scope: Scope, actor: str, conversation_id: str) -> NewEvent:
        """The event by which readers of a log are told."""
        ...


class SettingsErasing:
    """Erases them, in the log of this server."""

    def __init__(self, log: EventLog, settings: Settings) -> None:
        self._log, self._settings = log, settings

    async def erase(self, conversation_id: str, actor: str) -> None:
        """Erase; returns when they are in no file of the store any more.

        Raises DomainError OVERLOADED, DRAINING, STORE_UNAVAILABLE.
        """
        for scope, offsets in (await self._found(conversation_id)).items():
            those = sorted(offsets)
            for start in range(0, len(those), AT_ONCE):
                some = those[start : start + AT_ONCE]
                redaction = Redaction(some[0], some[-1], some, (), self._settings.without_settings)
                told = self._settings.told(scope, actor, conversation_id)
                request_id = f"settings:{conversation_id}:{some[0]}:{some[-1]}"
                await self._log.append(scope, [told], request_id, redaction=redaction)
        await self._log.scrub()

    async def _found(self, conversation_id: str) -> Mapping[Scope, set[Offset]]:
        """Where there are any, by logs."""
        found: dict[Scope, set[Offset]] = {}
        async for scope, record in self._log.told_of(conversation_id):
            if self._settings.has_settings(record):
                found.setdefault(scope, set()).add(record.last)
        own = Scope(f"conversations/{conversation_id}")
        after = Offset((await self._log.head(own)).earliest - 1)
        while True:
            kinds = self._settings.kinds
            page = await self._log.stored(own, after, PAGE_EVENTS, kinds, MAX_PAGE_BYTES)
            those = {it.last for it in page.records if self._settings.has_settings(it)}
            if those:
                found.setdefault(own, set()).update(those)
            after = page.position
            if page.at_head:
                return found
