"""Servers behind all built-in filters: one process, or each service in a server of its own."""

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    Filter,
    PayloadFilter,
    PersonalDataFilter,
    RepetitionFilter,
    SecretsFilter,
    TermsFilter,
)
from antiphon_client import Client
from antiphon_server.integration.connections.settings import ConnectionSettings
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.channels.routed_channel import RoutedChannel
from tests.apart.installation import installation
from tests.e2e.callers import caller, channel_to
from tests.e2e.calls import new_conversation
from tests.e2e.entrances.entrance import Stage
from tests.e2e.entrances.later import HANDLER
from tests.e2e.entrances.tools import RULES, corpus_server, model
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.tool_server import RunLedger
from tests.filters.corpus import REGIONS, TERMS_AS_PARTS, TERMS_AS_WORDS
from tests.workers.processes import WorkerProcess, invited

WORKER = (sys.executable, "-m", "tests.e2e.entrances.worker")
KINDS: Mapping[str, Any] = {
    "secrets": SecretsFilter(),
    "personal_data": PersonalDataFilter(regions=REGIONS),
    "terms": TermsFilter(terms=TERMS_AS_WORDS, parts=TERMS_AS_PARTS),
    "payload": PayloadFilter(),
    "repetition": RepetitionFilter(),
}
FILTERS = [
    Filter(name=kind.replace("_", "-"), action=FILTER_ACTION_BLOCK, **{kind: it})
    for kind, it in KINDS.items()
]


@asynccontextmanager
async def together(home: Path) -> AsyncIterator[Stage]:
    """One process, with a worker."""
    async with AsyncExitStack() as up:
        mcp = {"name": "corpus", "mcp": await up.enter_async_context(_tool(home))}
        variables = {"ANTIPHON_CONNECTIONS": json.dumps([mcp]), **ONE_FOR_MANY}
        server = ServerProcess(home, models=[model()], variables=variables)
        await up.enter_async_context(server)
        channel = await up.enter_async_context(channel_to(server))
        client = Client.connect(server.address, server.key, deadline=PATIENCE_S, patient=False)
        stage = await _behind_filters(channel, await up.enter_async_context(client))
        key = await invited(server, HANDLER)
        worker = WorkerProcess(server.address, key, home / "worker.log", WORKER)
        await up.enter_async_context(worker)
        await until_it(lambda: _is_served(client))
        yield stage


@asynccontextmanager
async def apart(home: Path) -> AsyncIterator[Stage]:
    """Each service in a server of its own."""
    async with AsyncExitStack() as up:
        url = await up.enter_async_context(_tool(home))
        more: dict[str, Any] = {
            "connections": (ConnectionSettings(name="corpus", mcp=url),),
            "models": (msgspec.convert(model(), ModelSettings),),
        }
        made = await up.enter_async_context(installation(home, **more))
        routes: dict[str, grpc.aio.Channel] = {
            name: await up.enter_async_context(made.channel_to(name)) for name in made.ports
        }
        client = await up.enter_async_context(made.client())
        yield await _behind_filters(RoutedChannel(routes), client)


async def _behind_filters(channel: grpc.aio.Channel, client: Client) -> Stage:
    """A workspace's filters, and what may be called there."""
    calls = await new_conversation(channel, await caller("operator", client))
    stage = Stage(calls, client)
    for tool, rule in RULES.items():
        await client.set_tool_rule(stage.workspace, tool, rule)
    await client.set_filters(stage.workspace, FILTERS)
    return stage


async def _is_served(client: Client) -> bool:
    return HANDLER in [it.name async for it in client.list_handlers()]


@asynccontextmanager
async def _tool(home: Path) -> AsyncIterator[str]:
    async with corpus_server(RunLedger(home / "ledger")) as url:
        yield url
