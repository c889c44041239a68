"""Whether the connections that the caller can see are up."""

from collections.abc import AsyncIterator

from antiphon.integration.v1.connection_pb2 import CONNECTION_STATE_DOWN
from antiphon_client import AntiphonError, Client
from antiphon_server.cli.connections.states import advice_of, left_alone, state_of
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.explain import explain

_MOST_WORKSPACES = 10


async def states_of_connections(client: Client) -> AsyncIterator[tuple[str, str, bool, str]]:
    """Each connection's name, its state with the reason, whether it is away, and what to do.

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
                name, is_down = in_a_line(it.name), it.status.state == CONNECTION_STATE_DOWN
                again = f"`antiphon connections test {name}` asks again." * is_down
                is_away = is_down or bool(left_alone(it.status))
                away = "Its tools are away." * is_away
                remedy = " ".join(filter(None, (advice_of(it), again, away)))
                yield name, state_of(it.status), is_away, remedy
    except AntiphonError as error:
        yield "all", explain(error), True, ""
