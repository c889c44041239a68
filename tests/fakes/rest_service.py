"""A service over HTTP that answers from memory; `python -m tests.fakes.rest_service` serves it.

It prints its address; its document is at `/openapi.json`.
"""

import asyncio

from aiohttp import web

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Echo", "version": "1"},
    "paths": {
        "/echo": {
            "get": {
                "operationId": "echo",
                "parameters": [{"name": "key", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "What was asked.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["key"],
                                    "properties": {"key": {"type": "string"}},
                                }
                            }
                        },
                    }
                },
            }
        }
    },
}


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/openapi.json":
        return web.json_response(DOCUMENT)
    return web.json_response({"key": request.query.get("key", "")})


async def main() -> None:
    """Serve until the process ends."""
    runner = web.ServerRunner(web.Server(_answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
