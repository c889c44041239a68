"""Effective roles, answered from memory where that can't be wrong."""

from collections.abc import Awaitable
from typing import TypeVar

from antiphon_server.context.model.resources import AssignedRoles, ResourceId, Role
from antiphon_server.context.ports import Store
from antiphon_server.runtime.access.policy import NO_ROLE, Held
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.guarded import GuardedCache
from antiphon_server.runtime.cache.lru import LruCache

T = TypeVar("T")
MAX_CACHED = 50_000
_Key = tuple[UserId, ResourceId]


class Roles:
    """Who has which role now.

    Holds up to ``max_cached`` assigned roles. All changes of roles in this process must go
    through :meth:`changing`; where several processes share a store, ``max_cached`` is 0.
    """

    def __init__(self, store: Store, max_cached: int = MAX_CACHED) -> None:
        self._store = store
        self._held = _KnownRoles(max_cached)
        self._cache = GuardedCache(self._held, self._read)

    async def effective(self, user_id: UserId, resource: ResourceId) -> Role:
        """The user's role on a resource, its workspace's included; NONE if there is neither."""
        return (await self.held(user_id, resource)).role

    async def held(self, user_id: UserId, resource: ResourceId) -> Held:
        """The same, with the resource that the role was given on."""
        roles = await self._cache.get((user_id, resource))
        return roles.held(resource) if roles is not None else NO_ROLE

    async def _read(self, key: _Key) -> AssignedRoles | None:
        return await self._store.read(lambda r: r.members.assigned_roles(*key), snapshot=False)

    async def changing(self, user_id: UserId, change: Awaitable[T]) -> T:
        """Await a change of the user's roles; whoever asks after it gets the new ones.

        Must not be cancelled before the change has ended.
        """
        return await self._cache.changing(change, lambda: self._held.forget(user_id))


class _KnownRoles(LruCache[_Key, AssignedRoles]):
    """Knows of whom it holds something."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._of_user: dict[UserId, set[ResourceId]] = {}

    def put(self, key: _Key, value: AssignedRoles) -> None:
        super().put(key, value)
        if self.peek(key) is not None:
            self._of_user.setdefault(key[0], set()).add(key[1])

    def pop(self, key: _Key) -> AssignedRoles | None:
        resources = self._of_user.get(key[0], set())
        resources.discard(key[1])
        if not resources:
            self._of_user.pop(key[0], None)
        return super().pop(key)

    def forget(self, user_id: UserId) -> None:
        """Of all resources: a role on a workspace counts on its conversations too."""
        for resource in tuple(self._of_user.get(user_id, ())):
            self.pop((user_id, resource))
