"""What of a process's settings the integration service reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from antiphon_server.integration.connections.settings import ConnectionSettings, ProgramSettings
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.net.egress.policy import EgressPolicy


class ProcessSettings(Protocol):
    """What of a process's settings the service reads."""

    @property
    def data_dir(self) -> Path:
        """Where this process keeps files."""
        ...

    @property
    def lease_s(self) -> float:
        """How long a server's lease on a shared database is."""
        ...

    @property
    def max_prompt_tokens(self) -> int:
        """The most tokens of a prompt to any model; 0 leaves it to each."""
        ...

    @property
    def max_output_tokens(self) -> int:
        """The most tokens of an answer that nobody asked to be longer; 0 leaves it to each."""
        ...

    @property
    def connections(self) -> Sequence[ConnectionSettings]:
        """Those that all workspaces may use."""
        ...

    @property
    def programs(self) -> Mapping[str, ProgramSettings]:
        """The programs that connections may start, by id."""
        ...

    @property
    def max_programs(self) -> int:
        """How many of them run at once."""
        ...

    @property
    def oauth_client_url(self) -> str:
        """Where this installation says what it is to authorization servers, or ""."""
        ...

    def egress(self) -> EgressPolicy:
        """Where calls may go that workspaces name."""
        ...

    @property
    def tool_call_s(self) -> float:
        """How long a call of a tool may take, in seconds."""
        ...

    @property
    def kept_result_bytes(self) -> int:
        """How many bytes of large results of tools are kept for each workspace."""
        ...

    def all_models(self) -> Sequence[ModelSettings]:
        """Those that can be called, the default first."""
        ...
