"""A sixth service is a folder and a line: all else follows from its descriptor."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from msgspec import structs

from antiphon.auth.v1.access_service_pb2 import ListAccessRequest
from antiphon.auth.v1.access_service_pb2_grpc import AccessServiceStub
from antiphon.auth.v1.auth_service_pb2 import ApiKeyCredential, LoginRequest
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.app import DATABASE_FILE, App, running
from antiphon_server.app.control_plane import running_mesh
from antiphon_server.app.edge import rendered
from antiphon_server.installation import (
    NAMES,
    SERVICES,
    CallsInACircle,
    in_start_order,
)
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.peers import peers_of
from antiphon_server.runtime.access.rules import UndeclaredAccess
from antiphon_server.runtime.channels.routed_channel import NoRoute
from antiphon_server.runtime.composition.service import Service
from antiphon_server.settings import Settings
from tests.apart.installation import Installation, new_secret
from tests.apart.notes.contract import ADD, SERVICE, UNDECLARED, Request, Response
from tests.apart.notes.descriptor import NOTES

SIX = (*SERVICES, NOTES)


def settings(folder: Path, **other: Any) -> Settings:
    """Of a process that runs all six."""
    given: dict[str, Any] = {
        "services": (*NAMES, "notes"),
        "peers": peers_of(SIX)(),
        "port": 0,
        "admin_port": None,
        "data_dir": folder,
        "model": "scripted/echo",
        "drain_grace_s": 0.5,
    }
    return Settings(**{**given, **other})


@asynccontextmanager
async def to(app: App) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server of this machine."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{app.port}") as channel:
        yield channel


async def add(channel: grpc.aio.Channel, token: str = "") -> Any:
    """Call it as anybody would."""
    call = channel.unary_unary(ADD, Request.SerializeToString, Response.FromString)
    bearer = (("authorization", f"Bearer {token}"),) if token else None
    return await call(Request(text="milk"), metadata=bearer, timeout=20)


async def operator(folder: Path, channel: grpc.aio.Channel) -> str:
    """A token of the local operator."""
    key = await asyncio.to_thread((folder / "operator.key").read_text)
    request = LoginRequest(api_key=ApiKeyCredential(api_key=key.strip()))
    return (await AuthServiceStub(channel).Login(request, timeout=20)).tokens.access_token


async def serves(channel: grpc.aio.Channel, part: str) -> bool:
    """Whether the server says so."""
    request = health_pb2.HealthCheckRequest(service=part)
    answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def test_it_serves_with_the_others(tmp_path: Path) -> None:
    """Migrated, guarded, and on its way to the log: nothing but the list was told of it."""
    async with running(settings(tmp_path), SIX) as app, to(app) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await add(channel)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        token = await operator(tmp_path, channel)
        assert [(await add(channel, token)).notes for _ in range(2)] == [1, 2]
    with sqlite3.connect(tmp_path / DATABASE_FILE) as stored:
        assert stored.execute("SELECT version_num FROM alembic_version_notes").fetchall() == [
            ("0001",)
        ]


async def explained(channel: grpc.aio.Channel, bearer: tuple[tuple[str, str], ...]) -> list[str]:
    """The names of all RPCs that the server explains, page by page."""
    request, names = ListAccessRequest(), list[str]()
    while True:
        page = await AccessServiceStub(channel).ListAccess(request, metadata=bearer)
        names += [each.rpc for each in page.rpcs]
        if not page.next_page_token:
            return names
        request.page_token = page.next_page_token


async def test_it_is_shown_like_the_others(tmp_path: Path) -> None:
    """By reflection, by health, with its figures, and among the RPCs that are explained."""
    async with running(settings(tmp_path, admin_port=0), SIX) as app, to(app) as channel:
        target = f"127.0.0.1:{app.port}"
        assert await serves(channel, SERVICE)
        assert await serves(channel, "notes")
        assert await asyncio.to_thread(reflected, target) == [SERVICE]
        bearer = (("authorization", f"Bearer {await operator(tmp_path, channel)}"),)
        assert ADD[1:] in await explained(channel, bearer)
        figures = f"http://127.0.0.1:{app.admin_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(figures) as answer:
            assert "notes_added 0.0" in await answer.text()


def reflected(target: str) -> list[str]:
    """Its service, as the server describes it."""
    with grpc.insecure_channel(target) as channel:
        found = ProtoReflectionDescriptorDatabase(channel).FindFileContainingSymbol(SERVICE)
    return [f"{found.package}.{service.name}" for service in found.service]


async def test_it_runs_apart(tmp_path: Path) -> None:
    """As the others do: it asks auth who calls, and the log over the wire, as itself."""
    async with Installation(tmp_path, known=SIX) as apart:
        await apart.start("auth", "events", "context", "notes")
        await apart.connected()
        assert await apart.health("events", "peer.notes")
        async with apart.channel_to("auth") as auth, apart.channel_to("notes") as notes:
            answer = await add(notes, await operator(tmp_path / "auth", auth))
        assert answer.notes == 1


async def test_the_mesh_leads_to_it(tmp_path: Path) -> None:
    """It registers by its own statement, and edges have its routes."""
    folder = tmp_path / "mesh"
    await asyncio.to_thread(folder.mkdir)
    ports = MeshSettings(port=0, ads_port=0, inside_port=0, edge_port=0, envoy=False)
    at = settings(folder, mesh=structs.replace(ports, check_tokens=False), secret_key=new_secret())
    async with running_mesh(at, SIX) as mesh:
        here = structs.replace(at, data_dir=tmp_path, registry=str(mesh.registry))
        async with running(here, SIX):
            while len(found := {each.announced.key.service for each in mesh.known()}) < len(SIX):  # noqa: ASYNC110  # another part of this process
                await asyncio.sleep(0.02)
            assert found == {*NAMES, "notes"}
    edge = rendered(at, SIX)
    assert f'"prefix": "/{SERVICE}/"' in edge
    assert '"clusterName": "notes"' in edge
    assert SERVICE not in rendered(Settings(data_dir=folder))


class Open(Service):
    """A service with an RPC of which nobody has said who may call it."""

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        handler: Any = grpc.unary_unary_rpc_method_handler(add)
        server.add_registered_method_handlers("antiphon.open.v1.NoteService", {"AddNote": handler})


async def test_an_rpc_that_nobody_is_allowed_keeps_the_server_from_starting(tmp_path: Path) -> None:
    """A contract that does not say who may call it, of a sixth service, too."""
    undeclared = replace(
        NOTES, contracts=lambda: (UNDECLARED,), composition=lambda: lambda *_given: Open()
    )
    with pytest.raises(UndeclaredAccess, match=r"antiphon\.open"):
        async with running(settings(tmp_path), (*SERVICES, undeclared)):
            pass


async def test_a_service_reaches_nobody_whom_it_does_not_name(tmp_path: Path) -> None:
    """Else it would start before those that it needs, and nobody could tell."""
    silent = replace(NOTES, calls=())
    with pytest.raises(NoRoute, match=r"antiphon\.events"):
        async with running(settings(tmp_path), (*SERVICES, silent)):
            pass


def test_whom_a_service_calls_starts_before_it() -> None:
    """Else the order is that of the list; a circle has no first one."""
    first = replace(NOTES, name="first", calls=("notes",))
    names = [each.name for each in in_start_order((first, *SIX))]
    assert names == [
        *("events", "notes", "first"),
        *("auth", "context", "memory", "integration", "dispatcher"),
    ]
    with pytest.raises(CallsInACircle, match="notes calls first calls notes"):
        in_start_order((replace(NOTES, calls=("first",)), first))
