"""What users want to be known by."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from antiphon_server.auth.model.profiles import ProfileChange
from antiphon_server.auth.model.security_events import ProfileChanged, SecurityEvent
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.profiles import ProfileStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.profile_words import line_of, lines_of, locale_of, time_zone_of
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.profiles.known import KnownProfiles
from antiphon_server.runtime.profiles.model import FIELDS, NONE, Profile


class UserProfiles:
    """Reads and changes them. Whose the caller may ask about is decided before."""

    def __init__(
        self,
        store: ProfileStore,
        completion: Completion,
        events: Recorder,
        known: KnownProfiles,
        clock: Clock,
    ) -> None:
        self._store = store
        self._completion = completion
        self._events = events
        self._known = known
        self._now = micros(clock)

    async def get(self, user_id: UserId, workspace_id: str) -> tuple[Profile, Profile]:
        """What is set there, and what holds there."""
        found = await self._store.of([user_id], {"", workspace_id})
        by_place = {it.workspace_id: it for it in found}
        everywhere = by_place.get("", Profile(user_id))
        there = by_place.get(workspace_id, Profile(user_id, workspace_id))
        return there, everywhere.under(there)

    async def of(
        self, user_ids: Collection[UserId], workspace_id: str, *, everything: bool
    ) -> Sequence[Profile]:
        """What those users have set everywhere and there; or ``everything``."""
        return await self._store.of(user_ids, None if everything else {"", workspace_id})

    async def update(
        self, user_id: UserId, workspace_id: str, wishes: Mapping[str, Any], etag: str
    ) -> Profile:
        """Set what is wished for, by the names of the fields.

        Raises DomainError NOT_FOUND, INVALID_ARGUMENT, ETAG_MISMATCH, LIMIT_EXCEEDED.
        """
        said = await _said(wishes)
        rule = self._rule(lambda it: replace(it, **said), etag)
        return await self._completion.run(self._changed(user_id, workspace_id, rule))

    async def delete(self, user_id: UserId, workspace_id: str, etag: str) -> None:
        """Take it away. Raises DomainError NOT_FOUND, ETAG_MISMATCH."""
        rule = self._rule(lambda it: Profile(it.user_id, it.workspace_id), etag)
        await self._completion.run(self._changed(user_id, workspace_id, rule))

    async def delete_all(self, user_id: UserId) -> None:
        """Take away all of a user's. Raises DomainError NOT_FOUND."""
        await self._completion.run(self._delete_all(user_id))

    async def delete_in(self, workspace_id: str) -> None:
        """Take away what anybody has set in a workspace."""
        await self._completion.run(self._delete_in(workspace_id))

    def _rule(
        self, wanted: Callable[[Profile], Profile], etag: str
    ) -> Callable[[Profile], Profile]:
        def rule(before: Profile) -> Profile:
            after = wanted(before)
            if all(getattr(before, it) == getattr(after, it) for it in FIELDS):
                return before
            if etag not in ("", before.etag):
                raise DomainError(Reason.ETAG_MISMATCH, resource=f"users/{before.user_id}/profile")
            if after.says_nothing:
                return replace(after, etag=NONE, update_us=0)
            return replace(after, etag=new_id("etag"), update_us=self._now())

        return rule

    async def _changed(
        self, user_id: UserId, workspace_id: str, rule: Callable[[Profile], Profile]
    ) -> Profile:
        try:
            with self._events.recording(_changed) as records:
                change = await self._store.change(user_id, workspace_id, rule, records)
        finally:  # whatever came of it: a commit that was not answered may have been made
            await self._known.forget(user_id, workspace_id)
        if change is None:
            raise not_found(f"users/{user_id}")
        return change.after

    async def _delete_all(self, user_id: UserId) -> None:
        places = {it.workspace_id for it in await self._store.of([user_id], None)}
        try:
            with self._events.recording(_deleted) as records:
                gone = await self._store.delete_all(user_id, records)
        finally:
            for workspace_id in places:
                await self._known.forget(user_id, workspace_id)
        if gone is None:
            raise not_found(f"users/{user_id}")
        for one in gone:  # also what was set since they were looked up
            if one.workspace_id not in places:
                await self._known.forget(user_id, one.workspace_id)

    async def _delete_in(self, workspace_id: str) -> None:
        with self._events.recording(_deleted) as records:
            gone = await self._store.delete_in(workspace_id, records)
        for it in gone:
            await self._known.forget(it.user_id, workspace_id)


async def _said(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what was said. Raises DomainError INVALID_ARGUMENT."""
    said = dict(wishes)
    if "locale" in said:
        said["locale"] = locale_of(said["locale"])
    if "time_zone" in said:
        said["time_zone"] = await time_zone_of(said["time_zone"])
    if "call_name" in said:
        said["call_name"] = line_of(said["call_name"])
    if "preferences" in said:
        said["preferences"] = lines_of(said["preferences"])
    if "fields" in said:
        said["fields"] = {key: line_of(value) for key, value in said["fields"].items()}
    return said


def _changed(change: ProfileChange) -> list[SecurityEvent]:
    if not change.changed:
        return []
    return [_event(change.after, change.changed, deleted=change.after.says_nothing)]


def _deleted(gone: Sequence[Profile]) -> list[SecurityEvent]:
    return [_event(it, ProfileChange(it, Profile(it.user_id)).changed, deleted=True) for it in gone]


def _event(it: Profile, changed: tuple[str, ...], *, deleted: bool) -> SecurityEvent:
    return SecurityEvent(ProfileChanged(it.workspace_id, changed, deleted), it.user_id)
