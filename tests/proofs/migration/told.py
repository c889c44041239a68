"""All that a server tells of what it keeps, to be compared with what another one tells."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from google.protobuf.message import Message

from antiphon_client import Client
from tests.e2e.until import PATIENCE_S

AT_ONCE = 16
PAGE = 500


@dataclass(slots=True)
class Log:
    """A scope's events as bytes, the cursors at which its pages ended, and where it ends."""

    events: list[bytes] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    head: bytes = b""


@dataclass(slots=True)
class Told:
    """By scope its log; by conversation its messages, its turns and what they cost; the people."""

    logs: dict[str, Log] = field(default_factory=dict)
    messages: dict[str, list[bytes]] = field(default_factory=dict)
    turns: dict[str, list[bytes]] = field(default_factory=dict)
    usage: dict[str, bytes] = field(default_factory=dict)
    users: list[bytes] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many events, messages and turns these are."""
        return (
            sum(len(log.events) for log in self.logs.values()),
            sum(map(len, self.messages.values())),
            sum(map(len, self.turns.values())),
        )


async def told_by(client: Client) -> Told:
    """Ask for everything that the local operator can see."""
    told, busy = Told(), asyncio.Semaphore(AT_ONCE)
    conversations = [each async for each in client.list_conversations()]

    async def ask(workspace: str, name: str) -> None:
        async with busy:
            scope = f"conversations/{name}"
            told.logs[scope] = await log_of(client, scope)
            told.messages[name] = [as_bytes(it) async for it in client.list_messages(name)]
            told.turns[name] = [as_bytes(it) async for it in client.list_turns(name)]
            told.usage[name] = as_bytes(await client.get_usage(workspace, conversation_id=name))

    async with asyncio.TaskGroup() as asking:
        for each in conversations:
            asking.create_task(ask(each.workspace_id, each.conversation_id))
    told.users = [as_bytes(it) async for it in client.list_users()]
    return told


async def log_of(client: Client, scope: str, cursor: str = "") -> Log:
    """What the log has after the cursor."""
    log = Log(head=as_bytes(await client.get_head(scope)))
    while True:
        page = await client.read_events(scope, cursor, page_size=PAGE)
        log.events += map(as_bytes, page.events)
        log.cursors.append(cursor := page.cursor)
        if page.at_head:
            return log


async def followed(client: Client, scope: str, cursor: str, events: int) -> list[bytes]:
    """So many events of a stream that goes on after the cursor."""
    found: list[bytes] = []
    async with (
        asyncio.timeout(PATIENCE_S),
        aclosing(client.follow(scope, cursor=cursor).batches()) as batches,
    ):
        async for batch in batches:
            found += map(as_bytes, batch.events)
            if len(found) >= events:
                break
    return found


def as_bytes(message: Message) -> bytes:
    """The same for the same message."""
    return message.SerializeToString(deterministic=True)
