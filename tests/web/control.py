"""What the tests of the pages, which run in Node, ask of the world around them."""

import json
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from antiphon.integration.v1.connection_pb2 import Connection, ConnectionState
from antiphon_client import AntiphonError, Client
from antiphon_server.web.links import make_link
from tests.auth.oidc.issuer import Issuer
from tests.auth.oidc.outage import outage
from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.served import Served

PASSWORD = "a long way to the sea"
Wish = Callable[[str], Awaitable[str]]
"""What is done when it is asked for, by what it is told; says what came of it."""


class Control(Served):
    """Each thing that may be asked for is a path of an HTTP server, by POST."""

    def __init__(self, wishes: Mapping[str, Wish]) -> None:
        super().__init__("/{wish}")
        self._wishes = wishes

    async def answer(self, request: web.Request) -> web.Response:
        """Do it, and say what came of it."""
        wish = self._wishes[request.match_info["wish"]]
        return web.Response(text=await wish(await request.text()))

    async def do(self, wish: str) -> str:
        """The same, where it is asked for from here, with nothing told."""
        return await self._wishes[wish]("")


class People:
    """Makes somebody new, by the operator, whom ``client`` signs in."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client
        self._count = 0

    async def make(self, told: str) -> str:
        """Somebody with the display name that is told, if any."""
        self._count += 1
        name = f"person{self._count}"
        wanted = json.loads(told).get("displayName") or name.title()
        async with self._client() as client:
            user = await client.create_user(name, PASSWORD, display_name=wanted)
        return json.dumps({"name": name, "password": PASSWORD, "userId": user.user_id})


def wishes_of(
    server: ServerProcess, endpoint: FakeEndpoint, issuer: Issuer | None = None
) -> dict[str, Wish]:
    """What may be asked for of one server, the model that it asks and the identity provider."""

    async def answer(told: str) -> str:
        """How the model shall answer the next time."""
        behaviour: dict[str, Any] = json.loads(told)
        endpoint.plan.append(Behaviour(**behaviour))
        return ""

    async def forget(_: str) -> str:
        """Answers that nobody has asked the model for: the next one is for the next test."""
        endpoint.plan.clear()
        return ""

    async def kill(_: str) -> str:
        await server.kill()
        return ""

    async def start(_: str) -> str:
        await server.start()
        return ""

    async def pause(_: str) -> str:
        """The server stands still, and keeps its connections."""
        server.signal(signal.SIGSTOP)
        return ""

    async def go_on(_: str) -> str:
        server.signal(signal.SIGCONT)
        return ""

    async def link(_: str) -> str:
        """A link for the local operator."""
        return make_link(server.key.secret)

    async def notice(told: str) -> str:
        """The operators tell everybody something; its id."""
        async with server.client() as client:
            return (await client.publish_notice(told)).notice_id

    async def withdraw(told: str) -> str:
        """What they said is over."""
        async with server.client() as client:
            await client.withdraw_notice(told)
        return ""

    async def disabled(told: str) -> str:
        """A connection of that name in a workspace of the operator, which is put out of use."""
        async with server.client() as client:
            where = (await client.create_conversation()).workspace_id
            wanted = Connection(name=told, title="Put out of use")
            wanted.mcp.url = "https://wiki.example/mcp"
            made = await client.create_connection(where, wanted)
            made.disabled = True
            await client.update_connection(where, made, ["disabled"])
        return ""

    async def call(told: str) -> str:
        """The operator calls a tool that needs nothing; the reason why it failed, if it did."""
        async with server.client() as client:
            workspace = await anext(client.list_workspaces())
            try:
                await client.call_tool(workspace.workspace_id, told)
            except AntiphonError as error:
                return str(error.reason)
        return ""

    async def probe(told: str) -> str:
        """How that connection is, which is asked now whether it is there."""
        async with server.client() as client:
            workspace = await anext(client.list_workspaces())
            tested = await client.test_connection(workspace.workspace_id, told)
        return ConnectionState.Name(tested.status.state) + tested.status.error_reason

    async def fail_sign_ins(_: str) -> str:
        """The identity provider fails everybody until it is left alone."""
        assert issuer is not None
        await outage(f"127.0.0.1:{server.port}", issuer)
        return ""

    user = People(server.client).make
    hub = {"disabled": disabled, "call": call, "probe": probe}
    telling = {"notice": notice, "withdraw": withdraw}
    life = {
        "outage": fail_sign_ins,
        "forget": forget,
        "kill": kill,
        "start": start,
        "pause": pause,
        "go_on": go_on,
    }
    return {"answer": answer, "user": user, "link": link, **life, **telling, **hub}
