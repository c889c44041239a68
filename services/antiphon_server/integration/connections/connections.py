"""The connections of the installation and of workspaces: kept, changed, and used as sources."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from antiphon_server.integration.connections.model import (
    RESERVED,
    Connection,
    EgressRules,
    Mcp,
    Newer,
    OAuth,
    Status,
    Target,
    grantee,
    missing_document,
    without_document,
)
from antiphon_server.integration.connections.ports import (
    Change,
    ConnectionStore,
    EgressStore,
    Kind,
    Marks,
    Switchboard,
    Told,
    Ungrant,
)
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.integration.tools.ports import Source
from antiphon_server.runtime.concurrency.tasks import TaskSet, every
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.net.egress.names import named

FIRST_S = 5.0
"""So long its first probe is waited for by those who ask for its tools."""
MOST_WORKSPACES = 500
"""Whose connections one server keeps; those that were asked for longest ago are let go first."""
IDLE_S = 600.0
"""A workspace's connection that nobody has asked for so long is let go, until somebody does.

As long as a call runs on one, which may wait for people, its workspace's stay.
"""
RECONNECT_AFTER_S = 1.0
_NO_WORKSPACE = ("", "global")
"""Who asks so is the server itself, or looks at what is the installation's."""
Kinds = Mapping[type[Target], Kind]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A workspace's connections, and the marks of what they were made from."""

    marks: Marks
    connections: Mapping[SourceName, Supervised]


_NONE = _Kept({}, {})


async def _nothing(workspace_id: str, name: SourceName) -> None:
    """Nothing was granted."""


class Connections:
    """See :class:`~antiphon_server.integration.tools.ports.Sources`; ``installed`` are for all.

    But for those that are ``private``, by which the server alone calls: no workspace has them.
    What workspaces have is read from the store each time, so each server has what another changed.
    """

    def __init__(
        self,
        store: ConnectionStore,
        kinds: Kinds,
        told: Told,
        egress: EgressStore,
        installed: Iterable[Connection] = (),
        built_in: Iterable[Source] = (),
        ungrant: Ungrant = _nothing,
        switches: Switchboard | None = None,
        private: Collection[str] = (),
    ) -> None:
        self._switches = switches
        self._store, self._kinds, self._told, self._ungrant = store, kinds, [told], ungrant
        self._egress = egress
        self._built_in = {it.name: it for it in built_in}
        self._installed = {it.name: self._supervised(it) for it in installed}
        self._shared = {name: it for name, it in self._installed.items() if name not in private}
        self._known: dict[str, _Kept] = {}
        self._closing, self._closed = TaskSet(), False

    async def of(
        self, workspace_id: str, names: Collection[SourceName] | None = None
    ) -> Mapping[SourceName, Source]:
        """All that it may use. Of ``names`` (None: of all) the first probe is waited for."""
        found = await self._all(workspace_id)
        await _probed_once(it for it in found.values() if names is None or it.name in names)
        return {**found, **self._built_in}

    async def listed(self, workspace_id: str) -> Sequence[Supervised]:
        """All that it may use, by name, with what is known of each."""
        found = await self._all(workspace_id)
        await _probed_once(found.values())
        return [found[name] for name in sorted(found)]

    async def get(self, workspace_id: str, name: SourceName) -> Supervised:
        """One of them. Raises DomainError NOT_FOUND."""
        found = (await self._all(workspace_id)).get(name)
        if found is None:
            raise not_found(f"connection {name}")
        return found

    async def create(self, connection: Connection) -> Supervised:
        """Make one; the same again changes nothing.

        Raises DomainError ALREADY_EXISTS, LIMIT_EXCEEDED and what its kind says of it.
        """
        taken = RESERVED | self._installed.keys()
        if connection.name in taken:
            raise DomainError(Reason.ALREADY_EXISTS, resource=f"connection {connection.name}")
        await self._check(await self._bound(connection))

        def change(before: Connection | None) -> Connection:
            if before is None:
                return _complete(connection, None)
            if replace(before, created_us=0, etag="") != without_document(connection):
                raise DomainError(Reason.ALREADY_EXISTS, resource=f"connection {connection.name}")
            return before

        return await self._changed(connection.workspace_id, connection.name, change)

    async def update(self, connection: Connection, fields: Collection[str]) -> Supervised:
        """Change ``fields`` of it, if its etag is that which was seen, or "".

        Raises DomainError NOT_FOUND, ETAG_MISMATCH, CONNECTION_NEWER and what its kind says of it.
        """
        wanted = {field: getattr(connection, field) for field in fields}
        before = await self.get(connection.workspace_id, connection.name)
        _changeable(before.connection)
        await self._check(replace(before.connection, **wanted))

        def change(stored: Connection | None) -> Connection:
            if stored is None:
                raise not_found(f"connection {connection.name}")
            if connection.etag and connection.etag != stored.etag:
                raise DomainError(Reason.ETAG_MISMATCH, etag=stored.etag)
            _changeable(stored)
            return _complete(replace(stored, **wanted), stored)

        changed = await self._changed(connection.workspace_id, connection.name, change)
        if grantee(changed.connection) != grantee(before.connection):
            await self._ungrant(connection.workspace_id, connection.name)
        return changed

    async def delete(self, workspace_id: str, name: SourceName) -> None:
        """Remove one, if it is there."""
        known = (await self._all(workspace_id)).get(name)
        if known is None:
            return
        _owned(known.connection)
        await self._store.change(workspace_id, name, lambda _: None)
        await self._ungrant(workspace_id, name)
        await self._all(workspace_id)
        await self._tell(known.connection, None)

    async def renew(self, workspace_id: str, name: SourceName) -> Supervised:
        """Have every server open one anew, since it may be called with more than before."""

        def change(stored: Connection | None) -> Connection | None:
            if stored is None:
                raise not_found(f"connection {name}")
            return _anew(stored)

        return await self._changed(workspace_id, name, change)

    async def signed_by(self, workspace_id: str) -> Mapping[SecretName, Sequence[SourceName]]:
        """The workspace's connections by the secrets that sign their calls; asks nobody."""
        found: dict[SecretName, list[SourceName]] = {}
        for it in await self._store.of(workspace_id):
            if it.credential is not None and it.credential.secret:
                found.setdefault(it.credential.secret, []).append(it.name)
        return found

    async def sign_anew(self, workspace_id: str, secret: SecretName) -> None:
        """Have every server open anew what this secret signs and what was away without it.

        What is removed meanwhile stays so.
        """
        known = await self._all(workspace_id)
        for name in (await self.signed_by(workspace_id)).get(secret, ()):
            one = known.get(name)
            if one is None or not one.away or one.connection.disabled:
                continue
            if not isinstance(one.connection.target, Newer):
                await self._store.change(workspace_id, name, _anew)
        await self._all(workspace_id)

    @property
    def installed(self) -> Sequence[Supervised]:
        """Those of the installation."""
        return tuple(self._installed.values())

    @property
    def of_workspaces(self) -> Sequence[Supervised]:
        """Those of workspaces that this server keeps now."""
        return [one for known in self._known.values() for one in known.connections.values()]

    def tell(self, told: Told) -> None:
        """Have it told of changes, too, from now on."""
        self._told.append(told)

    def start(self) -> None:
        """Begin with those of the installation."""
        for one in self._installed.values():
            one.start()

    async def tidy(self) -> None:
        """Let go of what nobody asks for, again and again until cancelled."""
        await every(IDLE_S / 10, self._let_go, at_once=False)

    async def close(self) -> None:
        """Close all, whatever one of them raises; nothing is opened from now on."""
        self._closed = True
        ours = [*self.of_workspaces, *self._installed.values()]
        self._known.clear()
        ending = [self._closing.spawn("integration.connection.close", it.close()) for it in ours]
        await asyncio.gather(*ending, return_exceptions=True)
        await self._closing.stop()

    async def egress(self, workspace_id: str) -> EgressRules:
        """Which hosts the workspace's connections may call."""
        return await self._egress.rules(workspace_id)

    async def set_egress(self, workspace_id: str, rules: EgressRules) -> EgressRules:
        """Set them. Raises DomainError INVALID_ARGUMENT, ETAG_MISMATCH."""
        for number, host in enumerate(rules.hosts):
            if not named(host.removeprefix("*.")):
                raise invalid(f"rules.hosts[{number}]", "a name of a host, or an address")
        hosts = tuple(sorted({host.lower() for host in rules.hosts}))
        stored = await self._egress.set_rules(workspace_id, replace(rules, hosts=hosts))
        await self._all(workspace_id)
        return stored

    async def _bound(self, connection: Connection) -> Connection:
        """One that is new, with the hosts that it may call."""
        rules = await self._egress.rules(connection.workspace_id)
        return replace(connection, egress=rules.hosts)

    async def _changed(self, workspace_id: str, name: SourceName, change: Change) -> Supervised:
        await self._store.change(workspace_id, name, change)
        return await self.get(workspace_id, name)

    async def _all(self, workspace_id: str) -> Mapping[SourceName, Supervised]:
        """Those of the installation and those that are stored, each begun if it is new.

        Each use of a tool asks, so what has not changed is not read again.
        """
        marks = await self._store.marks(workspace_id)
        if marks != self._kept(workspace_id).marks:
            stored = await self._store.of(workspace_id)
            if self._closed:  # nobody would end what is begun now
                raise DomainError(Reason.DRAINING, retry_after=RECONNECT_AFTER_S)
            self._known[workspace_id] = self._renewed(self._kept(workspace_id), marks, stored)
        kept, now = self._kept(workspace_id), time.monotonic()
        self._known.pop(workspace_id, None)
        for one in kept.connections.values():
            one.used = now
        if kept.marks:
            self._known[workspace_id] = kept
        if len(self._known) > MOST_WORKSPACES:
            self._forget(next(iter(self._known)))
        of_all = self._installed if workspace_id in _NO_WORKSPACE else self._shared
        return {**kept.connections, **of_all}

    def _kept(self, workspace_id: str) -> _Kept:
        return self._known.get(workspace_id, _NONE)

    def _renewed(self, before: _Kept, marks: Marks, stored: Iterable[Connection]) -> _Kept:
        known, now = dict(before.connections), dict[SourceName, Supervised]()
        for connection in stored:
            one = known.pop(connection.name, None)
            if one is None or one.connection != connection:
                self._finish(one)
                one = self._supervised(connection)
                one.start()
            now[one.name] = one
        for gone in known.values():
            self._finish(gone)
        return _Kept(marks, now)

    async def _let_go(self) -> None:
        before = time.monotonic() - IDLE_S
        for workspace_id, known in list(self._known.items()):
            if all(it.used < before and not it.busy for it in known.connections.values()):
                self._forget(workspace_id)

    def _forget(self, workspace_id: str) -> None:
        for one in self._known.pop(workspace_id).connections.values():
            self._finish(one)

    def _finish(self, one: Supervised | None) -> None:
        if one is not None:
            if self._switches is not None:
                self._switches.remove(one.switched_as, one.breaker)
            self._closing.spawn("integration.connection.finish", one.finish())

    async def _tell(self, connection: Connection, status: Status | None) -> None:
        for told in self._told:
            await told(connection, status)

    def _supervised(self, connection: Connection) -> Supervised:
        one = Supervised(connection, self._kind(connection), self._tell)
        if self._switches is not None:
            self._switches.add(one.switched_as, one.breaker)
        return one

    async def _check(self, connection: Connection) -> None:
        if isinstance(connection.credential, OAuth) and not isinstance(connection.target, Mcp):
            raise invalid("connection.credential", "none of oauth, which MCP over HTTP alone has")
        await self._kind(connection).check(connection)

    def _kind(self, connection: Connection) -> Kind:
        return self._kinds[type(connection.target)]


async def _probed_once(sources: Iterable[Supervised]) -> None:
    """Wait until each was probed once, but not for long."""
    new = [asyncio.ensure_future(it.known.wait()) for it in sources if not it.known.is_set()]
    if not new:
        return
    try:
        await asyncio.wait(new, timeout=FIRST_S)
    finally:
        for waiting in new:
            waiting.cancel()


def _owned(connection: Connection) -> None:
    if not connection.workspace_id:
        raise invalid("name", "one of the workspace itself; this one stands in settings")


def _changeable(connection: Connection) -> None:
    """What this server can't read it would store in part alone."""
    _owned(connection)
    if isinstance(connection.target, Newer):
        raise DomainError(Reason.CONNECTION_NEWER, connection=connection.name)


def _anew(stored: Connection | None) -> Connection | None:
    """It with another etag, which it gets when it is stored, and by which servers know."""
    return None if stored is None else replace(stored, etag="")


def _complete(connection: Connection, stored: Connection | None) -> Connection:
    """It, if what is given along with it is there."""
    if missing_document(connection, stored):
        kind = connection.target.__struct_config__.tag
        raise invalid(f"connection.{kind}", "with what it names by its SHA-256, or that as it is")
    return connection
