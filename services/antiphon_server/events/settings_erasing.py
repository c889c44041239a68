"""Erasing what a conversation or a workspace was called and told, wherever events tell of it."""

from collections.abc import Collection, Mapping
from typing import Protocol

from antiphon_server.events.log import MAX_PAGE_BYTES, EventLog
from antiphon_server.events.model import NewEvent, Offset, Record, Redaction, Scope

PAGE_EVENTS = 1000
AT_ONCE = 500


class Settings(Protocol):
    """Knows where in events settings of conversations and workspaces are."""

    @property
    def kinds(self) -> Collection[int]:
        """In which kinds of its own log."""
        ...

    def without_settings(self, kind: int, body: bytes) -> bytes:
        """What is left of a serialised event; the same where nothing is to go."""
        ...

    def has_settings(self, record: Record) -> bool:
        """Whether anything is to go."""
        ...

    def told(self, scope: Scope, actor: str, of: Scope) -> NewEvent:
        """The event by which readers of a log are told."""
        ...


class SettingsErasing:
    """Erases them, in the log of this server."""

    def __init__(self, log: EventLog, settings: Settings) -> None:
        self._log, self._settings = log, settings

    async def erase(self, own: Scope, actor: str) -> None:
        """Erase a conversation's or a workspace's; returns when no file of the store has them.

        Raises DomainError OVERLOADED, DRAINING, STORE_UNAVAILABLE.
        """
        for scope, offsets in (await self._found(own)).items():
            those = sorted(offsets)
            for start in range(0, len(those), AT_ONCE):
                some = those[start : start + AT_ONCE]
                redaction = Redaction(some[0], some[-1], some, (), self._settings.without_settings)
                told = self._settings.told(scope, actor, own)
                request_id = f"settings:{own.partition('/')[2]}:{some[0]}:{some[-1]}"
                await self._log.append(scope, [told], request_id, redaction=redaction)
        await self._log.scrub()

    async def _found(self, own: Scope) -> Mapping[Scope, set[Offset]]:
        """Where there are any, by logs."""
        found: dict[Scope, set[Offset]] = {}
        async for scope, record in self._log.told_of(own.partition("/")[2]):
            if self._settings.has_settings(record):
                found.setdefault(scope, set()).add(record.last)
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
