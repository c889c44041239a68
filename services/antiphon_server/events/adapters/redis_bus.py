"""The bus between nodes over Redis (or Valkey): publish and subscribe.

Each node says something twice a second. While it hears itself the bus is there; while it hears
all others, too, nobody has to look into the store often. Messages are numbered, so that those
who missed one look into the store, and those who hear one again pass over it. All nodes have
one key: others are not heard.
"""

import asyncio
import logging
import time
from typing import NamedTuple

import msgspec

from antiphon_server.events.adapters.bus_wire import (
    Forged,
    Message,
    Saying,
    WireCommit,
    commit_of,
    decode,
    encode,
    wire_commit,
)
from antiphon_server.events.model import Commit, Scope
from antiphon_server.events.ports import BusListener
from antiphon_server.events.wakeup import Wakeup
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.availability import Availability
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable, Subscription

CHANNEL = "antiphon:events"
BEAT_S = 0.5
SILENT_S = 1.25
"""Who has not heard itself for so long listens anew."""
FORGOTTEN_S = 60.0
"""A node that was not heard for so long, and said no goodbye, is gone."""
OLD_S = 30.0
"""What was said before is somebody's recording: clocks differ by less."""
GOODBYE = 0
AGAIN_S = 0.25
MAX_WAITING_BYTES = 4 << 20
MAX_MESSAGE_BYTES = 256 << 10
log = logging.getLogger(__name__)


class _Peer(NamedTuple):
    """The last message of a node, and when it came."""

    number: int
    at: float


class RedisBus:
    """A :class:`~antiphon_server.events.ports.Bus` over a channel that all nodes of a store hear.

    Others may use the same Redis: channels are not of one of its databases. The ``key`` is
    what a node is known by. What waits is dropped when it is more than ``most_bytes``.
    """

    def __init__(self, redis: Redis, key: bytes, most_bytes: int = MAX_WAITING_BYTES) -> None:
        self._redis = redis
        self._key = key
        self._node = new_id("node")
        self._channel = CHANNEL
        self._number = 0
        self._waiting: list[tuple[WireCommit | Saying, int]] = []
        self._waiting_bytes = 0
        self._most_bytes = most_bytes
        self._wakeup = Wakeup()
        self._others: dict[str, _Peer] = {}
        self._gone: dict[str, float] = {}
        self._echo_at = float("-inf")
        self._echo_number = 0
        self._began = 0.0
        self._forged = False
        self.availability = Availability("the bus between nodes", "antiphon_bus_fallback")

    @property
    def connected(self) -> bool:
        oldest = min([it.at for it in self._others.values()], default=self._echo_at)
        return time.monotonic() - min(oldest, self._echo_at) < SILENT_S

    def send_commit(self, commit: Commit) -> None:
        self._add(*wire_commit(commit))

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        self._add(Saying(scope, body), 100 + len(body))

    async def run(self, store: str, listener: BusListener) -> None:
        self._began = time.monotonic()
        self._channel = f"{CHANNEL}:{store}"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(), name="bus.publish")
            tasks.create_task(self._listen(listener), name="bus.listen")

    def _add(self, part: WireCommit | Saying, size: int) -> None:
        if self._waiting_bytes + size > self._most_bytes:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._number += 1  # so that others miss what they were not told
        self._waiting.append((part, size))
        self._waiting_bytes += size
        self._wakeup.set()

    async def _publish(self) -> None:
        """Say what waits, as one message; without anything, twice a second that this node is."""
        try:
            while True:
                if not self._waiting:
                    await self._beat()
                self._number += 1
                if not await self._sent(Message(self._node, self._number, *self._taken())):
                    # Those who hear the next one will miss this one's number.
                    self._waiting.clear()
                    self._waiting_bytes = 0
                    self._echo_at = float("-inf")
                    await asyncio.sleep(AGAIN_S)
                self._update_availability()
        finally:
            await self._sent(Message(self._node, GOODBYE))

    async def _sent(self, message: Message) -> bool:
        data = encode(message, self._key)
        try:
            await self._redis.publish(self._channel, data)
        except RedisUnavailable:
            return False
        return True

    def _update_availability(self) -> None:
        now = time.monotonic()
        silent = [name for name, it in self._others.items() if now - it.at > FORGOTTEN_S]
        for name in silent:
            del self._others[name]
        for name in [name for name, at in self._gone.items() if now - at > FORGOTTEN_S]:
            del self._gone[name]
        # Of others alone nobody knows whether they are cut off or gone: they say it themselves.
        connected = now - self._echo_at < SILENT_S
        if connected or now - self._began > SILENT_S:
            self.availability.report(up=connected)

    async def _beat(self) -> None:
        self._wakeup.clear()
        try:
            async with asyncio.timeout(BEAT_S):
                await self._wakeup.wait()
        except TimeoutError:
            return

    def _taken(self) -> tuple[list[WireCommit], list[Saying]]:
        commits: list[WireCommit] = []
        sayings: list[Saying] = []
        taken = size = 0
        for part, bytes_ in self._waiting:
            if taken and size + bytes_ > MAX_MESSAGE_BYTES:
                break
            taken, size = taken + 1, size + bytes_
            if isinstance(part, Saying):
                sayings.append(part)
            else:
                commits.append(part)
        del self._waiting[:taken]
        self._waiting_bytes -= size
        return commits, sayings

    async def _listen(self, listener: BusListener) -> None:
        while True:
            try:
                async with self._redis.subscription(self._channel) as messages:
                    await self._receive(messages, listener)
            except RedisUnavailable as error:
                log.debug("the bus can not be received: %s", type(error.__cause__).__name__)
            self._echo_at = float("-inf")
            await asyncio.sleep(AGAIN_S)

    async def _receive(self, messages: Subscription, listener: BusListener) -> None:
        """Receive until nothing came for so long that even this node's own beats are missing."""
        began = time.monotonic()
        while time.monotonic() - max(began, self._echo_at) < SILENT_S:
            data = await messages.next(timeout=BEAT_S)
            if data is not None:
                self._take(data, listener)

    def _take(self, data: bytes, listener: BusListener) -> None:
        try:
            message = decode(data, self._key)
        except Forged:
            self._warn_of_forgery()
            return
        except msgspec.MsgspecError:  # of a version to come
            listener.on_missed()
            return
        if message.node == self._node:
            if message.number > self._echo_number:
                self._echo_number, self._echo_at = message.number, time.monotonic()
        elif message.number == GOODBYE:
            self._others.pop(message.node, None)
            self._gone[message.node] = time.monotonic()
        elif message.node not in self._gone and time.time() - message.at < OLD_S:
            self._take_of_other(message, listener)

    def _take_of_other(self, message: Message, listener: BusListener) -> None:
        known = self._others.get(message.node)
        if known is not None and message.number <= known.number:
            return  # somebody repeats what was said
        if known is None or message.number != known.number + 1:
            listener.on_missed()
        self._others[message.node] = _Peer(message.number, time.monotonic())
        for commit in message.commits:
            listener.on_commit(commit_of(commit))
        for saying in message.sayings:
            listener.on_ephemeral(saying.scope, saying.body)

    def _warn_of_forgery(self) -> None:
        if not self._forged:
            self._forged = True
            log.warning("somebody without the installation's secret speaks where nodes listen")
