"""Run the tasks: ``uv run python -m tests.proofs.tasks --gguf FILE [--rounds N]``.

A server with the model of that file, the built-in tools, two MCP servers (mcp-server-time, and
npm's server-filesystem) and httpbin by its own document. Prints each transcript, and how many were
done.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import CallStatus, Client, text_of
from tests import npm
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.fakes.httpbin_server import httpbin_server
from tests.proofs.tasks.tasks import TOOLS, Task, Told, tasks

NAME = "local/by-hand"
LIMIT_S = 600.0
INSTRUCTIONS = "You are a helpful assistant. Answer in English, in one or two sentences."


@asynccontextmanager
async def served(gguf: Path, home: Path, files: Path) -> AsyncIterator[Client]:
    """A client of a server that has the model and the tools."""
    commands = await asyncio.to_thread(
        npm.install, home, {"@modelcontextprotocol/server-filesystem": "2026.8.31"}
    )
    programs = {
        "time": {"command": str(Path(sys.executable).with_name("mcp-server-time"))},
        "files": {
            "command": str(commands / "mcp-server-filesystem"),
            "arguments": [str(files)],
            "variables": {"PATH": f"{commands}:/usr/bin:/bin"},
        },
    }
    model = {"name": NAME, "kind": "local", "gguf": str(gguf), "context_tokens": 8192}
    async with httpbin_server() as url:
        connections = [
            {"name": "clock", "program": "time"},
            {"name": "files", "program": "files"},
            {"name": "web", "openapi": f"{url}/spec.json", "base_url": url},
        ]
        variables = {
            "ANTIPHON_PROGRAMS": json.dumps(programs),
            "ANTIPHON_CONNECTIONS": json.dumps(connections),
        }
        server = ServerProcess(home, models=[model], variables=variables)
        async with all_of([server]), server.client() as client:
            yield client


async def run(client: Client, task: Task) -> bool:
    """Do one in a conversation of its own, and print what was said and called."""
    made = await client.create_conversation(tools=list(TOOLS), instructions=INSTRUCTIONS)
    for tool in TOOLS:
        await client.set_tool_rule(made.workspace_id, tool, TOOL_RULE_ALWAYS)
    for text in task.before:
        await client.post_message(made.conversation_id, text)
    results = []
    print(f"\n> {task.question}", flush=True)
    async with asyncio.timeout(LIMIT_S), client.converse(made.conversation_id) as live:
        turn = await live.post(task.question)
        async for it in turn.updates():
            if isinstance(it, CallStatus) and it.finished is not None:
                results.append(text_of(it.finished.result))
                print(f"⚙ {it.proposed.tool} {it.proposed.arguments_json}")
                print(f"  → {' '.join(results[-1].split())[:300]}", flush=True)
        answer = (await turn.result()).text
    done = task.done(Told(answer, "\n".join(results)))
    print(f"{answer}\n[{'done' if done else 'not done'}]", flush=True)
    return done


async def main(gguf: Path, rounds: int) -> None:
    """All tasks, so many times."""
    done = count = 0
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as files:
        async with served(gguf, Path(home), Path(files)) as client:
            for _ in range(rounds):
                for task in tasks(Path(files)):
                    done += await run(client, task)
                    count += 1
    print(f"\n{done} of {count} tasks were done")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", type=Path, required=True, help="the model's file")
    parser.add_argument("--rounds", type=int, default=1, help="how often all tasks are done")
    given = parser.parse_args()
    asyncio.run(main(given.gguf, given.rounds))
