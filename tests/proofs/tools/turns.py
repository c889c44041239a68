"""Turns with three calls each: one at once, one that a person decides about, one repeatable."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import Event
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import AntiphonError, Client
from tests.e2e.until import PATIENCE_S, until_it
from tests.proofs.bench.processes import printed

CALLS = {"note": False, "note_again": True}
KINDS = (
    "turn_accepted",
    "tool_call_proposed",
    "tool_call_decided",
    "tool_call_started",
    "tool_call_finished",
    "turn_finished",
)
TOOLS = ("web.note", "ask.note", "web.note_again")
"""In the order of their calls; the second one asks."""
REPEATABLE = 3


@dataclass(slots=True)
class Run:
    """A turn, and all that its readers have seen: of each event its offset and its bytes."""

    turn_id: str
    conversation_id: str = ""
    seen: dict[int, bytes] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Somebody saw it."""
        if event.turn_id == self.turn_id and event.WhichOneof("payload") in KINDS:
            self.seen[event.first_offset] = event.SerializeToString(deterministic=True)

    @property
    def events(self) -> list[Event]:
        """What was seen, in order."""
        return [Event.FromString(self.seen[at]) for at in sorted(self.seen)]

    def has(self, kind: str) -> bool:
        """Whether one of that kind was seen."""
        return any(event.HasField(kind) for event in self.events)  # type: ignore[arg-type]

    @property
    def undecided(self) -> list[Any]:
        """The calls that wait for a person."""
        decided = {it.tool_call_decided.tool_call_id for it in self.events}
        ended = {it.tool_call_finished.tool_call_id for it in self.events}
        asked = [it.tool_call_proposed for it in self.events if it.tool_call_proposed.asks]
        return [it for it in asked if it.tool_call_id not in decided | ended]


def new_runs(count: int) -> list[Run]:
    """Turns to be."""
    return [Run(f"turn_{secrets.token_hex(12)}") for _ in range(count)]


def question(run: Run) -> str:
    """What the turn is asked, and its model answers by its calls."""
    return f"go {run.turn_id}"


def key(run: Run, number: int) -> str:
    """What the ledger calls the turn's call of that number, from 1."""
    return f"{run.turn_id}/{number}"


def settings(runs: Sequence[Run], url: str, wait_s: float = 0) -> Mapping[str, str]:
    """A server's: a model that calls all tools, and connections to the server of tools."""
    calls = {
        question(run): [
            {"tool": tool, "arguments": json.dumps({"key": key(run, at), "wait_s": wait_s})}
            for at, tool in enumerate(TOOLS, 1)
        ]
        for run in runs
    }
    model = {"name": "scripted/calls", "kind": "scripted", "model": "echo"}
    connections = [{"name": name, "mcp": url} for name in ("web", "ask")]
    return {
        "ANTIPHON_MODELS": json.dumps([model | {"script": {"calls": calls}}]),
        "ANTIPHON_CONNECTIONS": json.dumps(connections),
    }


@asynccontextmanager
async def tool_server(ledger: Path) -> AsyncIterator[str]:
    """A real one over HTTP, whose runs stand in the ledger; its URL."""
    async with printed("tests.fakes.tool_server", str(ledger)) as server:
        yield server.line


async def opened(client: Client, runs: Sequence[Run]) -> None:
    """Make each a conversation of its own; all but the second tool need no person."""
    for run in runs:
        made = await client.create_conversation(tools=TOOLS)
        run.conversation_id = made.conversation_id
    for tool in (TOOLS[0], TOOLS[2]):
        await client.set_tool_rule(made.workspace_id, tool, TOOL_RULE_ALWAYS)


@asynccontextmanager
async def reading(client: Client, runs: Sequence[Run]) -> AsyncIterator[None]:
    """Follow all of them from their beginning, for the block's time."""
    tasks = [asyncio.create_task(_read(client, run)) for run in runs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(client: Client, run: Run) -> None:
    scope = f"conversations/{run.conversation_id}"
    async with aclosing(aiter(client.follow(scope, earliest=True))) as events:
        async for event in events:
            run.note(event)


async def dispatched(client: Client, run: Run) -> None:
    """Ask for the turn, whatever becomes of the answer."""
    with suppress(AntiphonError):
        await client.dispatch(run.conversation_id, question(run), turn_id=run.turn_id)


async def deciding(client: Client, runs: Sequence[Run], denied: Collection[str]) -> None:
    """Decide about what waits, again and again until cancelled."""
    while True:
        waiting = [(run, call) for run in runs for call in run.undecided]
        await asyncio.gather(*(_decided(client, run, it, denied) for run, it in waiting))
        await asyncio.sleep(0.05)


async def _decided(client: Client, run: Run, call: Any, denied: Collection[str]) -> None:
    with suppress(AntiphonError, TimeoutError):
        async with asyncio.timeout(2):
            await client.decide_tool_call(
                run.conversation_id, run.turn_id, call, approve=run.turn_id not in denied
            )


async def stored(client: Client, runs: Sequence[Run]) -> Mapping[str, list[Event]]:
    """What the log has of each turn, when all of them have ended there."""
    found: dict[str, list[Event]] = defaultdict(list)
    for run in runs:
        again = Run(run.turn_id, run.conversation_id)
        async with reading(client, [again]):

            async def over(again: Run = again) -> bool:
                return again.has("turn_finished")

            await until_it(over, PATIENCE_S)
        found[run.turn_id] = again.events
    return found
