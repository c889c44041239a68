"""What goes on in the mesh while it is looked at: people, and one mishap after the other."""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon_client import AntiphonError, Client
from tests.deploy.dashboard.mesh import Mesh

PASSWORD = "a long enough passphrase of nobody"
TALKERS = 10
TURN_S = 30.0
MISHAPS: Mapping[str, tuple[float, float]] = {
    "a server is killed": (0.30, 0.0),
    "Redis hangs": (0.50, 0.12),
    "a model fails": (0.70, 0.12),
    "somebody guesses": (0.80, 0.08),
}
"""When they begin and how long they last, in shares of the whole time."""


@dataclass(slots=True)
class Going:
    """What is going on now, what was counted, and when mishaps began (Unix seconds)."""

    model_fails: bool = False
    guesses: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    counts: Counter[str] = field(default_factory=Counter)
    began: dict[str, float] = field(default_factory=dict)


async def live(mesh: Mesh, seconds: float) -> Going:
    """People come one after the other and work until the time is over."""
    going = Going()
    async with mesh.up.client() as operator, asyncio.TaskGroup() as tasks:
        tasks.create_task(_guess(mesh, going))
        for number in range(TALKERS):
            name = f"person-{number}"
            await operator.create_user(name, PASSWORD)
            tasks.create_task(_talk(mesh, name, going))
            tasks.create_task(_watch(mesh, name, going))
            await asyncio.sleep(seconds * 0.015)
        started = time.time() - TALKERS * seconds * 0.015
        for name, (at, lasts) in MISHAPS.items():
            tasks.create_task(_mishap(mesh, going, name, started + at * seconds, lasts * seconds))
        await asyncio.sleep(max(started + seconds - time.time(), 0))
        going.ended.set()
    return going


async def _talk(mesh: Mesh, name: str, going: Going) -> None:
    """Turn after turn on one Converse stream, and a message or two between them."""
    chance = random.Random(name)
    async with mesh.person(name, PASSWORD) as client:
        made = await client.create_conversation(f"of {name}")
        async with client.converse(made.conversation_id) as talk:
            while not going.ended.is_set():
                await asyncio.sleep(chance.uniform(0.2, 1.5))
                model = "broken" if going.model_fails and chance.random() < 0.5 else ""
                model = model or chance.choice(("large", "small", "small"))
                with contextlib.suppress(AntiphonError, TimeoutError):
                    async with asyncio.timeout(TURN_S):
                        turn = await talk.post("tell me", models=[f"scripted/{model}"])
                        await client.post_message(made.conversation_id, "and besides")
                        await turn.result()
                going.counts["turns"] += 1


async def _watch(mesh: Mesh, name: str, going: Going) -> None:
    """A second device: it lists, reads, and follows what the first one does."""
    async with mesh.person(name, PASSWORD) as client:
        while not going.ended.is_set():
            with contextlib.suppress(AntiphonError, TimeoutError):
                async for conversation in client.list_conversations():
                    await _follow(client, conversation.conversation_id, going)
                    break
            await asyncio.sleep(1.0)


async def _follow(client: Client, conversation_id: str, going: Going) -> None:
    [_ async for _ in client.list_messages(conversation_id)]
    async with asyncio.timeout(20):
        async for _ in client.follow(f"conversations/{conversation_id}"):
            going.counts["events"] += 1
            if going.ended.is_set():
                return


async def _guess(mesh: Mesh, going: Going) -> None:
    """Somebody without an account tries some passwords, and somebody with one asks too much."""
    while not going.ended.is_set():
        if going.guesses:
            with contextlib.suppress(AntiphonError):
                async with mesh.person("person-1", "wrong") as client:
                    await client.who_am_i()
            with contextlib.suppress(AntiphonError):
                async with mesh.person("person-2", PASSWORD) as client:
                    await client.create_user("mallory", PASSWORD)
        await asyncio.sleep(0.5)


async def _mishap(mesh: Mesh, going: Going, name: str, at: float, lasts: float) -> None:
    await asyncio.sleep(max(at - time.time(), 0))
    going.began[name] = time.time()
    match name:
        case "a server is killed":
            mesh.servers()["server-2"].kill()
        case "Redis hangs":
            mesh.redis().send_signal(signal.SIGSTOP)
            await asyncio.sleep(lasts)
            mesh.redis().send_signal(signal.SIGCONT)
        case "a model fails":
            going.model_fails = True
            await asyncio.sleep(lasts)
            going.model_fails = False
        case "somebody guesses":
            going.guesses = True
            await asyncio.sleep(lasts)
            going.guesses = False
