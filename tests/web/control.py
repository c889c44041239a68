"""What the tests of the pages, which run in Node, ask of the world around them."""

import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from antiphon_server.web.links import make_link
from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

PASSWORD = "a long way to the sea"


class Control:
    """Each thing that may be asked for is a path of an HTTP server, by POST."""

    def __init__(self, server: ServerProcess, endpoint: FakeEndpoint) -> None:
        self._server = server
        self._endpoint = endpoint
        self._users = 0
        application = web.Application()
        for name in ("answer", "kill", "start", "user", "link"):
            application.router.add_post(f"/{name}", getattr(self, f"_{name}"))
        self._runner = web.AppRunner(application)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        """How the model shall answer the next time."""
        told: dict[str, Any] = json.loads(await request.text())
        self._endpoint.plan.append(Behaviour(**told))
        return web.Response()

    async def _kill(self, _: web.Request) -> web.Response:
        await self._server.kill()
        return web.Response()

    async def _start(self, _: web.Request) -> web.Response:
        await self._server.start()
        return web.Response()

    async def _user(self, _: web.Request) -> web.Response:
        """Somebody new."""
        self._users += 1
        name = f"person{self._users}"
        async with self._server.client() as client:
            user = await client.create_user(name, PASSWORD, display_name=name.title())
        return web.json_response({"name": name, "password": PASSWORD, "userId": user.user_id})

    async def _link(self, _: web.Request) -> web.Response:
        """A link for the local operator."""
        return web.Response(text=make_link(self._server.key.secret))
