"""Every RPC, called by everybody on a real server, answers as a person reads the contract."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from antiphon_client import Client
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of, domain_error_of_status
from tests.access.people import People, people
from tests.access.reading import GROUP_OF, IDENTITIES, YES, answers
from tests.access.rpcs import ENDS_SESSIONS, OTHER_NAME, served_rpcs, short_name
from tests.access.table import DOCUMENT, rendered
from tests.e2e.callers import channel_to
from tests.e2e.contracts import Rpc
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.smallest import smallest

pytestmark = pytest.mark.asyncio(loop_scope="module")
OF_ACCESS = {
    Reason.UNAUTHENTICATED,
    Reason.TOKEN_INVALID,
    Reason.TOKEN_EXPIRED,
    Reason.SESSION_REVOKED,
    Reason.PERMISSION_DENIED,
    Reason.SCOPE_MISSING,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server whose model nobody reaches: who is let in is told otherwise."""
    models = [openai_model("fake/none", "http://127.0.0.1:9")]
    async with ServerProcess(tmp_path_factory.mktemp("access"), models=models) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(server: ServerProcess) -> AsyncIterator[grpc.aio.Channel]:
    """A bare channel to it."""
    async with channel_to(server) as channel:
        yield channel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(server: ServerProcess, channel: grpc.aio.Channel) -> People:
    """All identities."""
    return await people(server, channel)


async def came_of(rpc: Rpc, request: Message, everybody: People, identity: str) -> str:
    """YES if access let the call in, whatever came of it then; else the reason."""
    takes_a_session = rpc.method.name in ENDS_SESSIONS
    known = everybody.tokens[identity]
    token = await everybody.fresh(identity) if takes_a_session else known
    try:
        answer = await rpc.call(everybody.channel, request, token)
    except grpc.aio.AioRpcError as error:
        return _told(domain_error_of(error), everybody)
    for name in ("ended", "error"):
        if name in answer.DESCRIPTOR.fields_by_name and answer.HasField(name):
            return _told(domain_error_of_status(getattr(answer, name).error), everybody)
    return YES


def _told(error: DomainError, everybody: People) -> str:
    """What is about other things than the caller and the named resource is no refusal of access."""
    if error.reason in OF_ACCESS:
        return error.reason.value
    named = error.metadata.get("resource", "")
    mine = {everybody.owner.known["conv"], everybody.owner.known["ws"]}
    hidden = error.reason is Reason.NOT_FOUND and named.rpartition("/")[2] in mine
    return error.reason.value if hidden else YES


async def test_every_rpc_answers_every_identity_as_the_contract_says(everybody: People) -> None:
    """No surprise, and nothing of one tenant's for another; each request is a valid one."""
    surprises, strangers = [], []
    for rpc in served_rpcs():
        request = smallest(rpc.request_type, everybody.owner.known, rpc.access.resource_field)
        came = await asyncio.gather(
            *(came_of(rpc, request, everybody, identity) for identity in IDENTITIES)
        )
        told = dict(zip(IDENTITIES, came, strict=True))
        wanted = answers(short_name(rpc))
        surprises += [
            (short_name(rpc), who, told[who], wanted[who])
            for who in IDENTITIES
            if told[who] != wanted[who]
        ]
        strangers += [rpc.path] if rpc.access.resource_field and told["stranger"] == YES else []
    assert surprises == []
    assert strangers == []


async def test_every_rpc_that_is_served_has_been_read(server: ServerProcess) -> None:
    """The server's own list, the descriptors and the reading name the same RPCs."""
    async with server.client() as client:
        served = await _listed(client)
    assert served - {OTHER_NAME} == {rpc.path[1:] for rpc in served_rpcs()}
    assert {short_name(rpc) for rpc in served_rpcs()} == GROUP_OF.keys()


async def _listed(client: Client) -> set[str]:
    return {one.rpc async for one in client.list_access()}


async def test_the_document_is_what_was_read() -> None:
    """docs/access.md is as `python -m tests.access` writes it."""
    assert DOCUMENT.read_text() == rendered()
