"""The installation's own connections, and the programs that connections may start."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from antiphon_server.integration.connections.model import (
    RESERVED,
    Bearer,
    Connection,
    Mcp,
    McpProgram,
    ProgramId,
    Target,
)
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.configuration import Secret

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
MAX_PROGRAMS = 16


class ProgramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that speaks MCP by stdio. It has no variables but these and a plain PATH."""

    command: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, Secret] = {}
    folder: Path | None = None


class ConnectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A connection that all workspaces may use: ``mcp`` is an address, ``program`` an id.

    The token is ``bearer``, or the value of the environment variable named by ``bearer_env``.
    """

    name: Name
    title: str = ""
    mcp: str = ""
    program: str = ""
    bearer: Secret | None = None
    bearer_env: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for what makes no sense."""
        if bool(self.mcp) == bool(self.program):
            raise ValueError(f"connections: {self.name}: give mcp or program, one of them")

    @property
    def token(self) -> str:
        """The bearer token, or an empty string."""
        found = self.bearer.reveal() if self.bearer else ""
        return found or os.environ.get(self.bearer_env, "")

    @property
    def connection(self) -> Connection:
        """The connection; its secret has its own name."""
        name = SourceName(self.name)
        target: Target = Mcp(self.mcp) if self.mcp else McpProgram(ProgramId(self.program))
        credential = Bearer(SecretName(self.name)) if self.token else None
        return Connection("", name, target, self.title, credential)


def check_connections(
    connections: Collection[ConnectionSettings], programs: Collection[str]
) -> None:
    """Raises ValueError for a name that is used twice or reserved, and for an unknown program."""
    names = [it.name for it in connections]
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            raise ValueError(f"connections: the name {name} is taken")
    for it in connections:
        if it.program and it.program not in programs:
            raise ValueError(f"connections: {it.name}: programs has no {it.program}")
