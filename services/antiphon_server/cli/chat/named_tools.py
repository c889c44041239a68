"""What a conversation has of the tools that its user names."""

from collections.abc import Sequence
from itertools import chain

from antiphon.integration.v1.connection_pb2 import ConnectionState
from antiphon.integration.v1.tool_pb2 import (
    TOOL_RULE_NEVER,
    TOOL_STATE_AVAILABLE,
    Tool,
    ToolState,
)
from antiphon_client import AntiphonError, Client
from antiphon_server.cli.console import CommandError, in_a_line
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.which_workspace import INSTALLATION

_ALL = ".*"


def check_written(names: Sequence[str]) -> None:
    """Raises CommandError for what names neither a tool nor all of a source."""
    for name in names:
        source, dot, tool = name.partition(".")
        if not (source and dot and tool):
            raise CommandError(
                f"{in_a_line(name)} names no tool: write SOURCE.TOOL, such as antiphon.time, or "
                f"{in_a_line(source) or 'antiphon'}.* for all of a source (`antiphon tools`)"
            )


async def found_of(client: Client, workspace: str, names: Sequence[str]) -> list[str]:
    """How many tools of these ``names`` models can ask for now, and what is wrong with others.

    Nothing where it is not told: to guests, and before there is a workspace with tools of its own.
    """
    if workspace == INSTALLATION:
        return []
    try:
        tools = [it async for it in client.list_tools(workspace)]
    except AntiphonError as error:
        if error.reason not in ("PERMISSION_DENIED", "SCOPE_MISSING"):
            raise
        return []
    usable = {it.name for it in tools if not _lacks(it) and any(_means(name, it) for name in names)}
    wrong = [await _wrong(client, workspace, name, tools) for name in names]
    return [f"{len(usable)} tool{'s'[: len(usable) != 1]}", *chain.from_iterable(wrong)]


async def _wrong(client: Client, workspace: str, name: str, tools: Sequence[Tool]) -> Sequence[str]:
    """What is wrong with those that a name means: in one piece, if it is the same of all."""
    meant = [it for it in tools if _means(name, it)]
    if not meant:
        return [f"{in_a_line(name)} {await _missing(client, workspace, name)}"]
    if len(reasons := {_lacks(it) for it in meant}) == 1:
        return [f"{in_a_line(name)} {reason}" for reason in reasons if reason]
    return [f"{in_a_line(it.name)} {reason}" for it in meant if (reason := _lacks(it))]


def _means(name: str, tool: Tool) -> bool:
    return tool.name.startswith(name[:-1]) if name.endswith(_ALL) else tool.name == name


def _lacks(tool: Tool) -> str:
    """Why no model is told of it; "" if models are."""
    if tool.rule == TOOL_RULE_NEVER:
        return "is never called, by the rule of the workspace"
    if tool.state != TOOL_STATE_AVAILABLE:
        return f"is {name_of(ToolState, 'TOOL_STATE_', tool.state)}"
    return ""


async def _missing(client: Client, workspace: str, name: str) -> str:
    """Why there is no tool of that name."""
    source = name.partition(".")[0]
    async for it in client.list_connections(workspace):
        if it.name == source and not it.status.tools:
            state = name_of(ConnectionState, "CONNECTION_STATE_", it.status.state)
            return f"has no tools now: {in_a_line(source)} is {state}"
    return "is no tool that there is"
