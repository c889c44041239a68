"""Whether the connections that the caller can see are up."""

from collections.abc import AsyncIterator

from antiphon.integration.v1.connection_pb2 import CONNECTION_STATE_DOWN, ConnectionState
from antiphon_client import AntiphonError, Client
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.explain import explain
from antiphon_server.cli.kinds import name_of

_MOST_WORKSPACES = 10


async def states_of_connections(client: Client) -> AsyncIterator[tuple[str, str, bool]]:
    """Each connection's name, its state with the reason, and whether it is down.

    Those of the installation, and of the caller's first ten workspaces.
    """
    seen: set[tuple[str, str]] = set()
    try:
        workspaces = [it.workspace_id async for it in client.list_workspaces()]
        for workspace in workspaces[:_MOST_WORKSPACES]:
            async for it in client.list_connections(workspace):
                if (it.workspace_id, it.name) in seen:
                    continue
                seen.add((it.workspace_id, it.name))
                state = name_of(ConnectionState, "CONNECTION_STATE_", it.status.state)
                why = f", {in_a_line(it.status.error_reason)}" if it.status.error_reason else ""
                is_down = it.status.state == CONNECTION_STATE_DOWN
                yield in_a_line(it.name), f"{state}{why}", is_down
    except AntiphonError as error:
        yield "all", explain(error), True
