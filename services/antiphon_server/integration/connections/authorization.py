"""A person's consent to a connection: begun by one, ended by the same, once."""

import hashlib
import re
import time
from dataclasses import dataclass

import msgspec

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import Connection, OAuth, grantee
from antiphon_server.integration.connections.ports import Authorizer, Grants
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.errors import DomainError, Reason, invalid

PENDING_S = 600
_LOOPBACK = re.compile(
    r"http://(?:127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})(?:/[0-9A-Za-z._~-]+)*/?", re.ASCII
)
_ERROR = re.compile(r"[a-z_]{1,64}")


class Began(msgspec.Struct, frozen=True):
    """What is kept of a consent that was begun: whose, to what, and what the adapter needs."""

    user: str
    name: str
    grantee: str
    expires_us: int
    pending: str


@dataclass(frozen=True, slots=True)
class Started:
    """The page to open, and until when (microseconds since 1970) its answer is taken."""

    url: str
    state: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class Returned:
    """What a browser brought back; "" for what it did not."""

    state: str
    code: str = ""
    issuer: str = ""
    error: str = ""


class Authorizations:
    """Asks people for their consent, and keeps it."""

    def __init__(self, connections: Connections, authorizer: Authorizer, grants: Grants) -> None:
        self._connections, self._authorizer, self._grants = connections, authorizer, grants

    async def begin(
        self, user: str, workspace_id: str, name: SourceName, redirect_uri: str
    ) -> Started:
        """Make the page that ``user`` is to open.

        Raises DomainError NOT_FOUND, INVALID_ARGUMENT, AUTHORIZATION_FAILED,
        CONNECTION_UNAVAILABLE, EGRESS_DENIED, LIMIT_EXCEEDED.
        """
        connection = await self._connection(workspace_id, name)
        found = _LOOPBACK.fullmatch(redirect_uri)
        if found is None or int(found[1]) > 65535:
            raise invalid("redirect_uri", "a loopback address with a port: http://127.0.0.1:…")
        begun = await self._authorizer.begin(connection, redirect_uri)
        expires_us = time.time_ns() // 1000 + PENDING_S * 1_000_000
        kept = Began(user, name, grantee(connection), expires_us, begun.pending)
        stored = msgspec.json.encode(kept).decode()
        await self._grants.begin(workspace_id, _key(begun.state), stored, PENDING_S)
        return Started(begun.url, begun.state, expires_us)

    async def complete(
        self, user: str, workspace_id: str, name: SourceName, returned: Returned
    ) -> Supervised:
        """Keep what was granted, and probe the connection.

        Raises DomainError NOT_FOUND, AUTHORIZATION_FAILED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
        """
        connection = await self._connection(workspace_id, name)
        stored = await self._grants.take(workspace_id, _key(returned.state))
        began = msgspec.json.decode(stored, type=Began) if stored else None
        ours = began is not None and (began.user, began.name) == (user, name)
        if began is None or not ours or began.expires_us < time.time_ns() // 1000:
            raise _failed(name, "it is over, or was never begun here; begin again")
        if began.grantee != grantee(connection):
            raise _failed(name, "its address or its client has changed since; begin again")
        if returned.error or not returned.code:
            said = returned.error if _ERROR.fullmatch(returned.error) else "nothing"
            raise _failed(name, f"the authorization server answered {said}")
        await self._authorizer.complete(connection, began.pending, returned.code, returned.issuer)
        found = await self._connections.renew(workspace_id, name)
        await found.probe()
        return found

    async def _connection(self, workspace_id: str, name: SourceName) -> Connection:
        connection = (await self._connections.get(workspace_id, name)).connection
        if not isinstance(connection.credential, OAuth) or not connection.workspace_id:
            raise invalid("name", "a connection of the workspace whose credential is oauth")
        return connection


def _key(state: str) -> str:
    """By what it is kept: who reads the names of what is kept learns no state."""
    return hashlib.sha256(state.encode()).hexdigest()[:60]


def _failed(name: SourceName, why: str) -> DomainError:
    return DomainError(Reason.AUTHORIZATION_FAILED, connection=name, why=why)
