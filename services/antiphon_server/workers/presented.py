"""How the handlers present themselves that workers serve."""

from collections.abc import Collection, Sequence

from antiphon_server.dispatcher.handling import HandlerInfo
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import invalid
from antiphon_server.workers.frames import Offer, WorkerId
from antiphon_server.workers.model import Parent, Release
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import AtWorker

WORKSPACES = 1000
"""Of so many the list is kept: 200 handlers are 1.6 KB."""


class Presented:
    """Says so from memory: it is asked at each turn that finds its handler by routes.

    What was found out is kept until this server knows of any change: of who is there, who may
    serve what, or which version begins turns. A worker that comes or goes changes its own handlers
    alone, since hundreds do when a new version is rolled out.
    """

    def __init__(self, pool: Pool, permissions: Permissions) -> None:
        self._pool, self._permissions, self._versions = pool, permissions, pool.versions
        self._known_at = (-1, -1)
        self._serving: dict[str, dict[WorkerId, AtWorker]] = {}
        self._infos: dict[str, dict[Parent, HandlerInfo]] = {}
        self._of: LruCache[str, Sequence[HandlerInfo]] = LruCache(WORKSPACES)
        pool.heeders.append(self._heed)
        for it in pool.all:
            self._heed(it.worker_id, it.parents)

    def infos(self, workspace_id: str) -> Sequence[HandlerInfo]:
        """See :meth:`Workers.infos`; of one without a worker no more than its name is known."""
        self._look()
        found = self._of.get(workspace_id)
        if found is None:
            named = sorted(self._permissions.of_workspace(workspace_id).items())
            found = tuple([self._info(name, parent) for name, parent in named])
            self._of.put(workspace_id, found)
        return found

    async def check(self, workspace_id: str, name: str, kinds: Collection[str]) -> None:
        """Raise DomainError INVALID_ARGUMENT if no worker that is there takes all these parts."""
        parent = await self._permissions.parent_of(workspace_id, name)
        there = self._that_serve(name, parent) if parent is not None else []
        lacking = [sorted(set(kinds) - _offer(it, name).takes) for it in there]
        if lacking and all(lacking):
            raise invalid("parts", f"{name} takes no {lacking[0][0]}")

    def _heed(self, worker_id: WorkerId, names: Collection[str]) -> None:
        """See :attr:`Pool.heeders`."""
        there = self._pool.find(worker_id)
        for name in names:
            its = self._serving.setdefault(name, {})
            its.pop(worker_id, None)
            if there is not None and there.parents.get(name):
                its[worker_id] = there
            if not its:
                del self._serving[name]
            self._infos.pop(name, None)
        self._of = LruCache(WORKSPACES)

    def _look(self) -> None:
        """Forget what was found out if permissions or versions have changed."""
        now = self._permissions.version, self._versions.version
        if now != self._known_at:
            self._known_at = now
            self._infos.clear()
            self._of = LruCache(WORKSPACES)

    def _that_serve(self, name: str, parent: str) -> list[AtWorker]:
        return [it for it in self._serving.get(name, {}).values() if it.serves(name, parent)]

    def _info(self, name: str, parent: Parent) -> HandlerInfo:
        infos = self._infos.setdefault(name, {})
        if parent not in infos:
            said = self._says(name, parent)
            it = said or Offer(name)
            infos[parent] = HandlerInfo(
                name,
                it.description,
                it.loss_policy,
                available=said is not None,
                built_in=False,
                examples=it.examples,
            )
        return infos[parent]

    def _says(self, name: str, parent: Parent) -> Offer | None:
        """What a worker says of it that is of the newest version that begins new turns.

        Old versions end what they have, and must not decide any more where messages go. All servers
        say the same, whoever came to them in which order: of one version, which should say one
        thing, it is the worker whose id is the last.
        """
        by_release: dict[Release, AtWorker] = {}
        for it in sorted(self._that_serve(name, parent), key=lambda it: it.worker_id):
            by_release[it.worker.release] = it
        newest = self._versions.newest(parent, by_release)
        return _offer(by_release[newest], name) if newest is not None else None


def _offer(session: AtWorker, name: str) -> Offer:
    return next((it for it in session.worker.offers if it.name == name), Offer(name))
