"""A server of the official SDK whose tools ask: by input_required, or in the middle of a call.

Which it is, its client says by its revision. What a tool has done is a line of a file.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated, Literal

import uvicorn
from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp.server.request_state import RequestStateSecurity
from mcp.shared.exceptions import UrlElicitationRequiredError
from mcp_types import (
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

DONE = Path(sys.argv[1])
server = MCPServer("asking", request_state_security=RequestStateSecurity(keys=["k" * 32]))


class Cake(BaseModel):
    """What a person is asked for."""

    flavour: Literal["lemon", "chocolate"] = Field(description="Its taste")
    slices: int = Field(ge=1, le=12)
    candles: bool = False


Outcome = AcceptedElicitation[Cake] | DeclinedElicitation | CancelledElicitation


def done(told: str) -> None:
    """Write down what was done."""
    with DONE.open("a") as file:
        file.write(f"{told}\n")


def ask_cake() -> Elicit[Cake]:
    """The first question."""
    return Elicit("Which cake\u202e shall it be?", Cake)


@server.tool()
async def bake(who: str, cake: Annotated[Outcome, Resolve(ask_cake)]) -> str:
    """Bakes a cake, once somebody has said which."""
    if not isinstance(cake, AcceptedElicitation):
        return f"No cake for {who}: {cake.action}"
    told = f"{cake.data.slices} slices of {cake.data.flavour} for {who}"
    done(told)
    return told


both_there = asyncio.Barrier(2)


@server.tool()
async def bake_beside(who: str, ctx: Context) -> str:
    """Bakes a cake as `bake` does, but asks when a second call of it is there as well."""
    await both_there.wait()
    cake = await ctx.elicit("Which cake shall it be?", Cake)
    return f"A cake for {who}: {cake.action}"


@server.tool()
async def never_content(ctx: Context) -> InputRequiredResult | str:
    """Asks again, whatever is said."""
    form = ElicitRequestFormParams(message="Again?", requested_schema=Cake.model_json_schema())
    if (ctx.protocol_version or "") >= "2026":
        return InputRequiredResult(input_requests={"again": ElicitRequest(params=form)})
    while True:
        await ctx.elicit("Again?", Cake)


@server.tool()
async def visit(ctx: Context) -> str:
    """Has a page visited."""
    came = await ctx.elicit_url("Say who you are", "https://login.example/ask?x=1", "e1")
    return f"It was {came.action}"


PAGE = ElicitRequestURLParams(
    message="Pay for it", url="https://pay.example/?for=cake", elicitation_id="e2"
)


@server.tool()
async def pay(ctx: Context) -> InputRequiredResult | str:
    """Works once a page was visited: by an error that says so, or by input_required."""
    if (ctx.protocol_version or "") >= "2026":
        came = (ctx.input_responses or {}).get("page")
        if not isinstance(came, ElicitResult):
            return InputRequiredResult(input_requests={"page": ElicitRequest(params=PAGE)})
        return f"It was {came.action}"
    done("asked")
    if len((await asyncio.to_thread(DONE.read_text)).splitlines()) % 2:
        raise UrlElicitationRequiredError([PAGE])
    return "It was accept"


@server.tool()
async def nap() -> str:
    """Takes half a second."""
    await asyncio.sleep(0.5)
    return "awake"


def ask_model() -> Sample:
    """What a model is asked."""
    said = SamplingMessage(role="user", content=TextContent(type="text", text="A word on cake"))
    return Sample([said], max_tokens=100_000, system_prompt="Be brief.", include_context="none")


@server.tool()
async def praise(
    word: Annotated[CreateMessageResult, Resolve(ask_model)],
    cake: Annotated[Outcome, Resolve(ask_cake)],
) -> str:
    """Has a model say a word on cake, and somebody choose one."""
    text = word.content.text if isinstance(word.content, TextContent) else ""
    return f"{word.model}: {text} ({cake.action})"


@server.tool()
async def chatter(ctx: Context) -> str:
    """Has models asked again and again."""
    said = ask_model().params.messages
    for _ in range(100):
        await ctx.session.create_message(messages=said, max_tokens=10)
    return "enough"


def told_key(ctx: Context) -> str:
    """The key by which a call is known again."""
    return str((ctx.request_context.meta or {}).get("antiphon/idempotency-key", "none"))


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def stamp(ctx: Context) -> str:
    """Says its key, at length; the first time it is called it does not come to that."""
    first = not await asyncio.to_thread(DONE.exists)
    done(told_key(ctx))
    if first:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            done("stopped")
            raise
    return told_key(ctx) + " " * 100_000


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def stamp_twice(ctx: Context, cake: Annotated[Outcome, Resolve(ask_cake)]) -> str:
    """Says the key of the request that has the answer."""
    return told_key(ctx)


@server.tool()
async def unkeyed(ctx: Context) -> str:
    """Says its key, if it is told one though it does not call itself idempotent."""
    return told_key(ctx)


class Old:
    """The server as one that has never heard of 2026-07-28: its clients begin a session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Headers(scope=scope).get("mcp-method") == "server/discover":
            await Response(status_code=404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def serve() -> None:
    """Over HTTP, at a port that is told by a line."""
    app: ASGIApp = server.streamable_http_app()
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(Old(app) if "old" in sys.argv else app, log_level="error")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    serve() if "http" in sys.argv else server.run("stdio")
