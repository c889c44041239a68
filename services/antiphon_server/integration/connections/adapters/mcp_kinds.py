"""MCP servers as connections: over HTTP, and as programs."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.adapters.grants import SealedGrants
from antiphon_server.integration.connections.mcp.authorizing import begin, complete
from antiphon_server.integration.connections.mcp.model import Config, Endpoint, Limits, Program
from antiphon_server.integration.connections.mcp.model import OAuth as Granted
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Outside, Places, Sampling
from antiphon_server.integration.connections.model import (
    Connection,
    Mcp,
    McpProgram,
    OAuth,
    ProgramId,
)
from antiphon_server.integration.connections.ports import Begun, Link
from antiphon_server.integration.connections.settings import MAX_PROGRAMS, ProgramSettings
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.concurrency.imports import imported
from antiphon_server.runtime.errors import invalid, not_found
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy

if TYPE_CHECKING:
    import httpx2

TRANSPORT = "antiphon_server.integration.connections.adapters.mcp_transport"


class McpServers:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`.

    Those that may have models asked use ``sampling``; what people have granted is in ``grants``.
    Where no client's id is given, authorization servers read at ``client_url`` what this one is.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        secrets: Secrets,
        sampling: Sampling | None = None,
        grants: SealedGrants | None = None,
        client_url: str = "",
    ) -> None:
        self._policy, self._secrets, self._sampling = policy, secrets, sampling
        self._grants, self._client_url = grants, client_url

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        _installed()
        assert isinstance(connection.target, Mcp)
        place = place_of(connection.target.url)
        if place.scheme not in ("http", "https"):
            raise invalid("connection.mcp.url", "an address of http or https")
        given = connection.credential
        if isinstance(given, OAuth) and given.secret and not given.client_id:
            raise invalid("connection.credential.oauth.client_id", "given, as its secret is")
        egress_of(connection, place.host, self._policy).check_host(place.host)

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        config, outside = await self._made(connection)
        return await open_connection(config, replace(outside, changed=changed))

    async def begin(self, connection: Connection, redirect_uri: str) -> Begun:
        """See :meth:`~antiphon_server.integration.connections.ports.Authorizer.begin`."""
        return await begin(*await self._made(connection, redirect_uri))

    async def complete(self, connection: Connection, pending: str, code: str, issuer: str) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Authorizer.complete`."""
        await complete(*await self._made(connection), pending, code, issuer)

    async def _made(self, connection: Connection, redirect_uri: str = "") -> tuple[Config, Outside]:
        _installed()
        assert isinstance(connection.target, Mcp)
        url = connection.target.url
        policy = egress_of(connection, place_of(url).host, self._policy)
        transport = await imported(TRANSPORT)
        make = transport.signed(connection, url, self._secrets, Dialler(policy))
        endpoint = Endpoint(url, self._granted(connection, redirect_uri))
        tokens = self._grants.of(connection) if self._grants else None
        config = Config(connection.name, endpoint, limits=_limits(connection))
        sampling = self._sampling if connection.allow_sampling else None
        return config, Outside(make, tokens=tokens, sampling=sampling)

    def _granted(self, connection: Connection, redirect_uri: str) -> Granted | None:
        given, name = connection.credential, connection.workspace_id
        if not isinstance(given, OAuth):
            return None
        secret = partial(self._secrets.value, name, given.secret)
        found = Granted(
            client_id=given.client_id,
            client_secret=secret if given.secret else None,
            metadata_url=self._client_url,
            scopes=given.scopes,
        )
        return replace(found, redirect_uri=redirect_uri) if redirect_uri else found


class McpPrograms:
    """See :class:`~antiphon_server.integration.connections.ports.Kind`; so many run at once."""

    def __init__(
        self,
        programs: Mapping[ProgramId, ProgramSettings],
        most: int = MAX_PROGRAMS,
        sampling: Sampling | None = None,
    ) -> None:
        self._programs, self._places, self._sampling = programs, Places(most), sampling

    async def check(self, connection: Connection) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.check`."""
        _installed()
        self._program(connection)
        if connection.credential is not None:
            raise invalid("connection.credential", "empty: a program has its own in the settings")

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """See :meth:`~antiphon_server.integration.connections.ports.Kind.link`."""
        _installed()
        given = self._program(connection)
        variables = {name: value.reveal() for name, value in given.variables.items()}
        folder = None if given.folder is None else str(given.folder)
        command = await asyncio.to_thread(shutil.which, given.command)  # by the server's own PATH
        program = Program(command or given.command, given.arguments, variables, folder)
        config = Config(connection.name, program, limits=_limits(connection))
        sampling = self._sampling if connection.allow_sampling else None
        outside = Outside(_no_transport, self._places, changed=changed, sampling=sampling)
        return await open_connection(config, outside)

    def _program(self, connection: Connection) -> ProgramSettings:
        assert isinstance(connection.target, McpProgram)
        found = self._programs.get(connection.target.program)
        if found is None:
            raise not_found(f"program {connection.target.program} in the server's settings")
        return found


def _limits(connection: Connection) -> Limits:
    given = connection.limits
    return Limits(open_s=given.open_s, call_s=given.call_s, max_bytes=given.max_bytes)


def _installed() -> None:
    if find_spec("mcp") is None:
        raise invalid("connection", "of a kind that works: MCP needs antiphon[mcp] on the server")


def _no_transport() -> "httpx2.AsyncBaseTransport":
    raise AssertionError("programs speak by stdio")
