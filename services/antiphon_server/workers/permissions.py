"""Which users' workers may serve which handlers: changed, and known to every server."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import invalid
from antiphon_server.workers.model import GLOBAL, HandlerName, Known, Parent, WorkerPermission
from antiphon_server.workers.ports import PermissionStore, Users

LOOK_S = 0.5
"""How often a server looks whether others have changed something: a change holds within 1 s."""


class Permissions:
    """All permissions, in memory: so an answer waits for nothing.

    Each parent has few. Where servers share a store, :meth:`run` looks whether others have changed
    some. ``built_in`` are the handlers of servers themselves, which no worker serves.
    """

    def __init__(
        self, store: PermissionStore, users: Users, built_in: Collection[str] = ()
    ) -> None:
        self._store, self._users, self._built_in = store, users, frozenset(built_in)
        self._known: Known = {}
        self._named: dict[Parent, list[HandlerName]] = {}
        self._version = -1
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._completion = Completion()

    @property
    def version(self) -> int:
        """Another number after each change that this server knows of; -1 before it has looked."""
        return self._version

    async def changed(self, seen: int) -> int:
        """Wait until :attr:`version` is not ``seen``; returns what it is."""
        while self._version == seen:
            await self._changed.wait()
        return self._version

    async def parents(self, user_id: str, handlers: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """For each handler the parents for which that user's workers may serve it; maybe none."""
        return {name: self._parents(UserId(user_id), HandlerName(name)) for name in handlers}

    async def parent_of(self, workspace_id: str, handler: str) -> str | None:
        """Whose handler a turn of that workspace means: its own before the installation's.

        None if nobody may serve one of that name; and without a workspace, unless the installation
        alone has one. Nothing is read for it: what another server has changed is known within a
        second.
        """
        known = self._known.get(HandlerName(handler), {})
        if not workspace_id:
            return GLOBAL if set(known) == {GLOBAL} else None
        return next((it for it in (Parent(workspace_id), GLOBAL) if it in known), None)

    def of_workspace(self, workspace_id: str) -> Mapping[HandlerName, Parent]:
        """The handlers that turns of a workspace may name, and whose each is."""
        parents = (GLOBAL, Parent(workspace_id))
        return {handler: parent for parent in parents for handler in self._named.get(parent, ())}

    async def known(self, handler: str) -> bool:
        """Whether anybody may serve one of that name, for whichever parent."""
        return HandlerName(handler) in self._known

    async def allow(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Let a user's workers serve a handler of a parent, from now on.

        Raises DomainError INVALID_ARGUMENT (one that is built in), NOT_FOUND, LIMIT_EXCEEDED.
        """
        if handler in self._built_in:
            raise invalid("handler", f"{handler} is built in: no worker serves it")
        await self._users.require(user_id)
        await self._completion.run(self._changing(self._store.add(parent, handler, user_id)))

    async def forbid(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Take that back, from now on; of what was not allowed nothing is changed."""
        await self._completion.run(self._changing(self._store.remove(parent, handler, user_id)))

    async def listed(
        self, parent: Parent, after: tuple[str, str], limit: int
    ) -> Sequence[WorkerPermission]:
        """A parent's, by handler and user, from behind ``after`` = (handler, user id)."""
        return await self._store.listed(parent, after, limit)

    async def refresh(self) -> None:
        """Read all anew if some were changed."""
        async with self._reading:
            version = await self._store.version()
            if version == self._version:
                return
            self._known = await self._store.all()
            self._named = {}
            for handler, parents in self._known.items():
                for parent in parents:
                    self._named.setdefault(parent, []).append(handler)
            self._version = version
            self._changed.set()
            self._changed = asyncio.Event()

    async def run(self) -> None:
        """Look regularly whether another server has changed some, until cancelled."""
        await every(LOOK_S, self.refresh, at_once=False)

    async def close(self) -> None:
        """Wait for changes whose callers have gone."""
        await self._completion.close()

    async def _changing(self, change: Coroutine[Any, Any, None]) -> None:
        """Make it and know of it, also if nobody waits for that any more."""
        await change
        await self.refresh()

    def _parents(self, user_id: UserId, handler: HandlerName) -> frozenset[str]:
        known = self._known.get(handler, {})
        return frozenset(parent for parent, users in known.items() if user_id in users)
