"""A memory of others is called by a connection's tools: with its credential, guard and limits."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from antiphon.integration.v1.tool_service_pb2 import ConsultToolRequest
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub

MOST_BYTES = 512 * 1024
"""A hundred hits have 4 KiB each at most."""
_LARGE = 32 * 1024
"""What is longer is read by a thread: it takes more than a millisecond."""
TIMEOUT_S = 30.0
"""Whoever calls says when it is over, and cancels."""


class Consulting:
    """Calls the tools of ``connection``, which stands in the settings."""

    def __init__(self, tools: "ToolServiceAsyncStub", connection: str) -> None:
        self._tools, self._connection = tools, connection

    async def call(self, tool: str, arguments: str) -> str:
        """What it returned, as text.

        Raises DomainError TOOL_FAILED if it says that it failed, or says too much, and those of
        ConsultTool.
        """
        name = f"{self._connection}.{tool}"
        request = ConsultToolRequest(name=name, arguments_json=arguments)
        with remote_errors("integration"):
            response = await self._tools.ConsultTool(request, timeout=TIMEOUT_S)
        if response.failed or len(response.text) > MOST_BYTES:
            raise DomainError(Reason.TOOL_FAILED, tool=name)
        return response.text

    async def call_json(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """As :meth:`call`, of JSON; None for nothing. Raises DomainError TOOL_FAILED."""
        said = await self.call(tool, json.dumps(arguments))
        try:
            if len(said) > _LARGE:
                return await asyncio.to_thread(json.loads, said)
            return json.loads(said) if said.strip() else None
        except (ValueError, RecursionError):
            raise DomainError(Reason.TOOL_FAILED, tool=tool) from None
