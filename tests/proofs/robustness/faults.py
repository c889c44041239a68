"""What goes wrong: each fault is inflicted for a moment, at random, and healed again."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from tests.fakes.proxy import Proxy, Way
from tests.proofs.robustness.stage import ANSWER, Stage

Fault = Callable[[Stage, random.Random], Awaitable[None]]
WAYS: Sequence[Way] = ("up", "down", "both")
BAD_MODELS = ("hang", "drip", "garbage", "cut", "silent", "no_end", "fault", "429", "500", "503")
HOUR_S = 3600.0
# How long a life of the server lasts at least, before the next fault of its process.
LIFE_S = (0.2, 2.5)


async def _kill(stage: Stage, chance: random.Random) -> None:
    """SIGKILL, and the next life; now and then that is killed too, while it starts."""
    server = chance.choice(stage.servers)
    await server.kill()
    await asyncio.sleep(chance.uniform(*stage.away_s))
    if chance.random() < 0.25:
        await server.spawn()
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        await server.kill()
        stage.inflicted["kill while starting"] += 1
    await server.start()


async def _drain(stage: Stage, chance: random.Random) -> None:
    """SIGTERM, and the next life."""
    server = chance.choice(stage.servers)
    await stage.end_life(server)
    await server.start()


async def _freeze(stage: Stage, chance: random.Random) -> None:
    """SIGSTOP for a while."""
    server, began = chance.choice(stage.servers), time.monotonic()
    server.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(chance.uniform(0.1, 3.0))
    finally:
        server.signal(signal.SIGCONT)
    if len(stage.servers) > 1:
        stage.halts.append((began, time.monotonic()))


async def _model(stage: Stage, chance: random.Random) -> None:
    """The next requests to the model are answered badly."""
    modes = [chance.choice(BAD_MODELS) for _ in range(chance.randint(1, 4))]
    stage.endpoint.plan.extend(replace(ANSWER, mode=mode, retry_after="0") for mode in modes)
    await asyncio.sleep(chance.uniform(0.1, 0.5))


async def _clock(stage: Stage, chance: random.Random) -> None:
    """The server's wall clock jumps, and a while later jumps back."""
    far = chance.choice([1.0, 20.0, 600.0, HOUR_S, 30 * HOUR_S])
    stage.clock.jump(chance.choice([-far, far]))
    try:
        await asyncio.sleep(chance.uniform(0.1, 2.5))
    finally:
        stage.clock.jump(0.0)


async def _cut(proxy: Proxy, chance: random.Random) -> None:
    """In the moment."""
    proxy.cut()


async def _cut_in_frame(proxy: Proxy, chance: random.Random) -> None:
    """After some bytes: in the middle of a frame."""
    proxy.cut_after(chance.randint(1, 3000), chance.choice(WAYS))
    await asyncio.sleep(chance.uniform(0.0, 0.2))
    proxy.cut()


async def _half_close(proxy: Proxy, chance: random.Random) -> None:
    """One direction first, then the connection."""
    proxy.half_close(chance.choice(WAYS))
    await asyncio.sleep(chance.uniform(0.0, 0.1))
    proxy.cut()


async def _stall(proxy: Proxy, chance: random.Random) -> None:
    """Silence; after it the bytes come, or the connection breaks and nobody gets in for a while."""
    proxy.stall(chance.choice(WAYS))
    await asyncio.sleep(chance.uniform(0.0, 0.4))
    if chance.random() < 0.6:
        proxy.refuse()
        proxy.cut()
        await asyncio.sleep(chance.uniform(0.0, 0.1))


async def _throttle(proxy: Proxy, chance: random.Random) -> None:
    """Few bytes a second, in small pieces."""
    proxy.throttle(chance.uniform(2_000, 50_000), chance.choice(WAYS), chance.randint(1, 512))
    await asyncio.sleep(chance.uniform(0.1, 1.0))


async def _delay(proxy: Proxy, chance: random.Random) -> None:
    """Every piece comes late."""
    proxy.delay(chance.uniform(0.01, 0.3), chance.choice(WAYS))
    await asyncio.sleep(chance.uniform(0.1, 1.0))


LIVES: Mapping[str, Fault] = {"kill": _kill, "drain": _drain, "freeze": _freeze}
WIRES: Mapping[str, Callable[[Proxy, random.Random], Awaitable[None]]] = {
    "cut": _cut,
    "cut in a frame": _cut_in_frame,
    "half-close": _half_close,
    "stall": _stall,
    "throttle": _throttle,
    "delay": _delay,
}
OTHERS: Mapping[str, Fault] = {"model": _model, "clock": _clock}
CUTTING = ("cut", "cut in a frame", "half-close")


async def inflict(stage: Stage, name: str, chance: random.Random) -> None:
    """One fault of that name, on whom chance picks; what it did is undone in the end."""
    stage.inflicted[name] += 1
    if name in WIRES:
        await harm(chance.choice(stage.proxies), name, chance)
    elif name in LIVES:
        async with stage.lives:
            await LIVES[name](stage, chance)
            await asyncio.sleep(chance.uniform(*LIFE_S))
    else:
        await OTHERS[name](stage, chance)


async def harm(proxy: Proxy, name: str, chance: random.Random) -> None:
    """One fault of a wire."""
    try:
        await WIRES[name](proxy, chance)
    finally:
        proxy.flow()


async def storm(stage: Stage, names: Sequence[str], seconds: float) -> None:
    """Fault after fault, alone and two at a time: each once, however long, then by chance."""
    chance, ends = stage.chance("storm"), time.monotonic() + seconds
    due = chance.sample(names, len(names))
    while due or time.monotonic() < ends:
        count = min(len(names), chance.choice([1, 1, 2]))
        picked = [due.pop() for _ in due[:count]] or chance.sample(names, count)
        await asyncio.sleep(chance.uniform(0.05, 0.8))
        async with asyncio.TaskGroup() as group:
            for name in picked:
                group.create_task(inflict(stage, name, random.Random(chance.random())))
