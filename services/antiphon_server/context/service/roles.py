"""Effective roles, answered from memory where that can't be wrong."""

from collections import OrderedDict
from collections.abc import Awaitable
from typing import TypeVar

from antiphon_server.context.model.resources import ResourceId, Role, Standing
from antiphon_server.context.ports import Store
from antiphon_server.runtime.access.policy import NO_ROLE, Held
from antiphon_server.runtime.access.principal import UserId

T = TypeVar("T")
MAX_CACHED = 50_000


class Roles:
    """Who has which role now.

    Holds up to ``max_cached`` standings. All changes of roles in this process must go
    through :meth:`changing`; where several processes share a store, ``max_cached`` is 0.
    """

    def __init__(self, store: Store, max_cached: int = MAX_CACHED) -> None:
        self._store = store
        self._max_cached = max_cached
        self._cached: OrderedDict[tuple[UserId, ResourceId], Standing] = OrderedDict()
        self._of_user: dict[UserId, set[ResourceId]] = {}
        self._changing = 0
        self._generation = 0

    async def effective(self, user_id: UserId, resource: ResourceId) -> Role:
        """The user's role on a resource, its workspace's included; NONE if there is neither."""
        return (await self.held(user_id, resource)).role

    async def held(self, user_id: UserId, resource: ResourceId) -> Held:
        """The same, with the resource that the role was given on."""
        key = user_id, resource
        standing = self._cached.get(key)
        if standing is not None:
            self._cached.move_to_end(key)
            return standing.held(resource)
        generation = self._generation
        loaded = await self._store.read(
            lambda r: r.members.standing(user_id, resource), snapshot=False
        )
        if loaded is None:
            return NO_ROLE  # not kept: the resource may come to be
        # What was read while roles changed is a true answer, but not for later.
        if not self._changing and generation == self._generation:
            self._keep(key, loaded)
        return loaded.held(resource)

    async def changing(self, user_id: UserId, change: Awaitable[T]) -> T:
        """Await a change of the user's roles; whoever asks after it gets the new ones.

        Must not be cancelled before the change has ended.
        """
        self._changing += 1
        try:
            return await change
        finally:
            self._forget(user_id)
            self._generation += 1
            self._changing -= 1

    def _keep(self, key: tuple[UserId, ResourceId], standing: Standing) -> None:
        if self._max_cached == 0:
            return
        if len(self._cached) >= self._max_cached:
            (user_id, resource), _ = self._cached.popitem(last=False)
            remaining = self._of_user[user_id]
            remaining.discard(resource)
            if not remaining:
                del self._of_user[user_id]
        self._cached[key] = standing
        self._of_user.setdefault(key[0], set()).add(key[1])

    def _forget(self, user_id: UserId) -> None:
        """Of all resources: a role on a workspace counts on its conversations too."""
        for resource in self._of_user.pop(user_id, ()):
            del self._cached[user_id, resource]
