"""A whole server that also tells, on a socket of its own, what its process holds.

``python -m tests.proofs.leaks.server --port P --data-dir D --probe SOCKET``. With ``--faster N``
every period of the server is N times shorter: heartbeats, leases, tidying. With
``--small`` the rings of newest events are full at once, what is remembered of conversations
is full after some, and connections to models are kept for a second, so that short runs
need not fill the ones and wait for the other. With
``--plant KIND`` it keeps something of each stream, or turn, on purpose: a test of the tests.
"""

import argparse
import asyncio
import contextlib
import functools
import gc
import json
import math
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antiphon_server.app import running
from antiphon_server.context import compose as context_compose
from antiphon_server.context.service import tails
from antiphon_server.dispatcher import leases
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.events import compose, hubs, log, subscriptions
from antiphon_server.events.hub import RingBudget
from antiphon_server.events.subscription import HEARTBEAT_S, Subscription
from antiphon_server.memory.assembly.contributing import Contribution
from antiphon_server.memory.assembly.older_messages import OlderMessages
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.net import http_pool
from antiphon_server.runtime.process.memory import give_back
from antiphon_server.runtime.telemetry.logs import configure_logging
from antiphon_server.settings import read_settings

_NUMBERS = re.compile(r"[0-9a-z_]*\d[0-9a-z_]*")
_DIGITS = re.compile(r"\d+")
_kept: list[Any] = []
REMEMBERED, REMEMBERED_BYTES = 64, 64 << 10


def weigh() -> dict[str, Any]:
    """What this process holds now, after everything that can be given back was."""
    for _ in range(3):
        gc.collect()
    give_back()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    tasks = Counter(_NUMBERS.sub("*", task.get_name()) for task in asyncio.all_tasks())
    return {
        "resident_mb": int(status["VmRSS"].split()[0]) / 1024,
        "anonymous_mb": int(status["RssAnon"].split()[0]) / 1024,
        "blocks": sys.getallocatedblocks(),
        "objects": len(gc.get_objects()),
        "tasks": dict(tasks),
        "descriptors": _descriptors(),
        "threads": _threads(),
    }


def _descriptors() -> dict[str, int]:
    found: Counter[str] = Counter()
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found[Path(os.readlink(f"/proc/self/fd/{descriptor}")).name.split(":[")[0]] += 1
    return dict(found)


def _threads() -> dict[str, int]:
    ours = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: Counter[str] = Counter()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            name = ours.get(int(thread.name)) or (thread / "comm").read_text().strip()
            found[_DIGITS.sub("*", name)] += 1
    return dict(found)


def types() -> dict[str, int]:
    """How many objects there are, by type."""
    gc.collect()
    found = Counter(f"{type(it).__module__}.{type(it).__qualname__}" for it in gc.get_objects())
    return dict(found.most_common(300))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        answer = types() if line == b"types\n" else weigh()
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


def hurry(factor: float) -> None:
    """Make every period shorter."""
    low, high = HEARTBEAT_S
    heartbeat_s = (low / factor, high / factor)
    soon = functools.partial(Subscription, heartbeat_s=heartbeat_s)
    setattr(subscriptions, "Subscription", soon)  # noqa: B010 - mypy knows a class there
    compose.FORGET_EVERY_S /= factor
    renew = leases.Leases.__init__

    def faster(self: leases.Leases, *needs: Any, **more: Any) -> None:
        renew(self, *[*needs[:4], leases.LEASE_S / factor, *needs[5:]], **more)

    leases.Leases.__init__ = faster  # type: ignore[method-assign]


async def _nothing(*_: Any, **__: Any) -> Contribution:
    return Contribution()


def shrink() -> None:
    """Make what is remembered little: only what has no bound grows on."""
    short = functools.partial(RingBudget, idle_events=1)
    setattr(hubs, "RingBudget", short)  # noqa: B010 - as above
    few = functools.partial(hubs.Hubs, most=REMEMBERED)
    setattr(log, "Hubs", few)  # noqa: B010 - as above
    little = functools.partial(tails.Tails, max_bytes=REMEMBERED_BYTES)
    setattr(context_compose, "Tails", little)  # noqa: B010 - as above
    # The index of search holds what was said, up to a bound of its own that is far away.
    OlderMessages.contribute = _nothing  # type: ignore[method-assign]
    http_pool.KEEP_ALIVE_S = 1.0
    make = LruCache.__init__

    def small(self: LruCache[Any, Any], most: float = math.inf, *needs: Any, **more: Any) -> None:
        make(self, min(most, REMEMBERED), *needs, **more)

    LruCache.__init__ = small  # type: ignore[method-assign]


def _small() -> Any:
    """Four blocks of memory: far more than what comes and goes without a leak."""
    return [object(), object()]


PLANTS: dict[str, tuple[type, str, Callable[[], Any]]] = {
    "object": (Subscription, "close", _small),
    "task": (
        Subscription,
        "close",
        lambda: asyncio.create_task(asyncio.sleep(3600), name="planted"),
    ),
    "descriptor": (Subscription, "close", lambda: os.dup(0)),
    "turn's object": (Lanes, "remove", _small),
}
"""Leaks: the method that ends a stream or a turn, and what is kept of each."""


def plant(kind: str) -> None:
    """Keep one thing of each stream or turn."""
    owner, name, keep = PLANTS[kind]
    ending = getattr(owner, name)

    @functools.wraps(ending)
    def leaking(*arguments: Any) -> None:
        ending(*arguments)
        _kept.append(keep())

    setattr(owner, name, leaking)


async def _run(arguments: argparse.Namespace) -> None:
    settings = read_settings(
        port=arguments.port, data_dir=arguments.data_dir, admin_port=0, log_level="warning"
    )
    configure_logging(settings.log_level, "json", None)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with running(settings):
        probe = await asyncio.start_unix_server(_answer, arguments.probe)
        async with probe:
            await stopping.wait()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--probe", type=Path, required=True)
    parser.add_argument("--faster", type=float, default=1.0)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--plant", choices=PLANTS, action="append", default=[])
    arguments = parser.parse_args()
    if arguments.faster != 1.0:
        hurry(arguments.faster)
    for kind in arguments.plant:
        plant(kind)
    if arguments.small:
        shrink()
    asyncio.run(_run(arguments))


if __name__ == "__main__":
    main()
