"""A small service that speaks as mem0's server does, by HTTP (docs/guides/own-memory.md)."""

import asyncio
import hmac
import os
import uuid

from aiohttp import web

TEXT = {"type": "string"}
IDS = {"user_id": TEXT, "run_id": TEXT, "agent_id": TEXT}
MEMORIES: dict[str, dict] = {}


def operation(name: str, *, body: dict | None = None, query: dict | None = None) -> dict:
    """What OpenAPI says of one."""
    said: dict = {"operationId": name, "responses": {"200": {"description": "What came of it."}}}
    if body is not None:
        schema = {"type": "object", "properties": body}
        said["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    said["parameters"] = [{"name": it, "in": "query", "schema": TEXT} for it in query or ()]
    return said


MESSAGES = {"type": "array", "items": {"type": "object"}}
ADDED = {"messages": MESSAGES, **IDS, "metadata": {"type": "object"}, "infer": {"type": "boolean"}}
ASKED = {"query": TEXT, **IDS, "limit": {"type": "integer"}}
ONE = {"name": "memory_id", "in": "path", "required": True, "schema": TEXT}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "memories", "version": "1"},
    "paths": {
        "/memories": {
            "post": operation("add_memory_memories_post", body=ADDED),
            "get": operation("get_all_memories_memories_get", query=IDS),
        },
        "/memories/{memory_id}": {
            "parameters": [ONE],
            "delete": operation("delete_memory_memories__memory_id__delete"),
        },
        "/search": {"post": operation("search_memories_search_post", body=ASKED)},
    },
}


@web.middleware
async def signed(request: web.Request, handler):
    """Let those in who have the key; all may read the document."""
    key = os.environ.get("MEM0_API_KEY", "")
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and request.path != "/openapi.json" and not hmac.compare_digest(key, given):
        raise web.HTTPUnauthorized
    return await handler(request)


async def document(request: web.Request) -> web.Response:
    """What there is to call."""
    return web.json_response(DOCUMENT)


async def add(request: web.Request) -> web.Response:
    """Keep a text, as often as it is added."""
    said = await request.json()
    memory_id = uuid.uuid4().hex
    MEMORIES[memory_id] = {
        "id": memory_id,
        "memory": said["messages"][0]["content"],
        "user_id": said.get("user_id"),
        "run_id": said.get("run_id"),
        "metadata": said.get("metadata"),
    }
    return web.json_response({"results": [{**MEMORIES[memory_id], "event": "ADD"}]})


async def listed(request: web.Request) -> web.Response:
    """Those of a user, or of one of their runs."""
    found = [
        it for it in MEMORIES.values() if all(it.get(k) == v for k, v in request.query.items())
    ]
    return web.json_response({"results": found})


async def delete(request: web.Request) -> web.Response:
    """Let go of one."""
    MEMORIES.pop(request.match_info["memory_id"], None)
    return web.json_response({"message": "Memory deleted successfully"})


async def search(request: web.Request) -> web.Response:
    """Find those of a user that have words of the query, the most first."""
    said = await request.json()
    words = set(said["query"].casefold().split())
    scored = [
        {**it, "score": len(words & set(it["memory"].casefold().split()))}
        for it in MEMORIES.values()
        if it["user_id"] == said.get("user_id")
    ]
    found = sorted((it for it in scored if it["score"]), key=lambda it: -it["score"])
    return web.json_response({"results": found[: said.get("limit", 100)]})


def application() -> web.Application:
    """The service."""
    app = web.Application(middlewares=[signed])
    app.router.add_get("/openapi.json", document)
    app.router.add_post("/memories", add)
    app.router.add_get("/memories", listed)
    app.router.add_delete("/memories/{memory_id}", delete)
    app.router.add_post("/search", search)
    return app


async def main() -> None:
    """Serve until somebody ends it."""
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    port = int(os.environ.get("PORT", "50053"))
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
