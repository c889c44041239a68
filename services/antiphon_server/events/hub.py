"""Live fan-out of one scope: the ring of its newest events and those who wait for more."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon_server.events.model import Epoch, Kind, Offset, Record

RING_EVENTS = 8192
RING_BYTES = 2 << 20
IDLE_EVENTS = 32
IDLE_BYTES = 32 << 10
NODE_BYTES = 64 << 20


@dataclass(slots=True)
class RingBudget:
    """What all rings of a node hold, in bytes; full, they keep only what idle ones do.

    A ring has at most ``ring_events``, and ``idle_events`` where nobody follows.
    """

    ring_events: int = RING_EVENTS
    idle_events: int = IDLE_EVENTS
    used: int = 0

    @property
    def full(self) -> bool:
        """Whether rings must be short."""
        return self.used > NODE_BYTES


class Follower(Protocol):
    """Wants to know when a scope has something new."""

    def notify(self) -> None:
        """Something was committed."""
        ...

    def send_ephemeral(self, body: bytes) -> None:
        """Something ephemeral was said; ``body`` is the whole event, serialised."""
        ...

    def seen_by(self, user_id: str, kind: int) -> bool:
        """Whether it is that user who sees events of that kind."""
        ...


class Hub:
    """A scope on this node.

    The ring holds the newest events without a hole. Those committed here have one offset
    each: position is found by subtraction. A follower is a cursor into it, not a queue, so
    a slow one costs nothing; one that has fallen off reads the store until it is back.
    """

    def __init__(self, epoch: Epoch, head: Offset, budget: RingBudget | None = None) -> None:
        self._budget = budget or RingBudget()
        self.epoch = epoch
        self.head = head
        self.followers: set[Follower] = set()
        self.rewound = 0
        """How often the store was found to have lost what it had committed."""
        self.cuts = 0
        """How often what those who are behind would get was replaced in the store."""
        self._ring: list[Record] = []
        self._base = head + 1
        self._bytes = 0

    def publish(self, records: Sequence[Record]) -> None:
        """Take committed events, in order, and wake who waits. Known ones are passed over."""
        fresh = [record for record in records if record.last > self.head]
        if not fresh:
            return
        if fresh[0].first != self.head + 1:
            self._make_way(fresh[0].first)
        self._ring.extend(fresh)
        self._count(sum(len(record.wire) for record in fresh))
        self.head = fresh[-1].last
        erased = [record.first for record in fresh if record.kind == Kind.MESSAGES_ERASED]
        if erased:  # what was before may say what it doesn't any more
            self.forget_before(erased[-1])
        self._shrink()
        self._notify()

    def skip(self, head: Offset) -> None:
        """Learn that the log ends at ``head`` now; those who wait read the store."""
        if head > self.head:
            self.head = head
            self.clear()
            self._notify()

    def rewind(self, epoch: Epoch, head: Offset) -> None:
        """Learn that the log ends at ``head``, before what is known: its newest commits are gone.

        Who follows has seen what is no more, and has to begin again.
        """
        self.epoch, self.head = epoch, head
        self.rewound += 1
        self.clear()
        self._notify()

    def forget_before(self, first: Offset) -> None:
        """Have who is behind ``first`` read the store: what was there was replaced by less."""
        kept = bisect_left(self._ring, first, key=_first)
        self._count(-sum(len(record.wire) for record in self._ring[:kept]))
        del self._ring[:kept]
        self._base = self._ring[0].first if self._ring else max(self._base, first)
        self.cuts += 1

    def send_ephemeral(self, body: bytes) -> None:
        """Tell those who follow now something that is not kept."""
        for follower in self.followers:
            follower.send_ephemeral(body)

    def watched_by(self, user_id: str, kind: int) -> bool:
        """Whether that user follows events of that kind, on this node."""
        return any(follower.seen_by(user_id, kind) for follower in self.followers)

    def leave(self, follower: Follower) -> None:
        """Let a follower go; behind the last one only the newest events are kept."""
        self.followers.discard(follower)
        if not self.followers:
            self._shrink()

    def covers(self, offset: Offset) -> bool:
        """Whether all that follows ``offset`` is in the ring."""
        return self._base - 1 <= offset <= self.head

    def after(
        self, offset: Offset, max_events: int, max_bytes: int
    ) -> tuple[Sequence[Record], Offset] | None:
        """Events after ``offset`` and the position reached; None if they are not in the ring."""
        start = offset + 1 - self._base
        if start < 0:
            return None
        if len(self._ring) != self.head + 1 - self._base:  # some cover what they folded
            start = bisect_right(self._ring, offset, key=_last)
        records = self._ring[start : start + max_events]
        size = 0
        for index, record in enumerate(records):
            size += len(record.wire)
            if size > max_bytes and index:
                records = records[:index]
                break
        return records, records[-1].last if records else max(offset, self.head)

    def clear(self) -> None:
        """Forget the ring; the store has it all."""
        self._ring.clear()
        self._base = self.head + 1
        self._count(-self._bytes)

    def _make_way(self, first: Offset) -> None:
        """For what begins behind a hole, which the store has, or takes over known offsets."""
        if first > self.head + 1:
            self.clear()
            self._base = first
            return
        while self._ring and self._ring[-1].last >= first:
            self._count(-len(self._ring.pop().wire))
        self.forget_before(first)
        self._base = first

    def _notify(self) -> None:
        for follower in self.followers:
            follower.notify()

    def _count(self, change: int) -> None:
        self._bytes += change
        self._budget.used += change

    def _shrink(self) -> None:
        """Drop the older half when full, so that the cost per event is constant.

        Few are kept where nobody follows, or where all rings together are too large.
        """
        short = not self.followers or self._budget.full
        budget = self._budget
        most_events = budget.idle_events if short else budget.ring_events
        most_bytes = IDLE_BYTES if short else RING_BYTES
        if len(self._ring) <= 2 * most_events and self._bytes <= 2 * most_bytes:
            return
        kept, size = 0, 0
        for record in reversed(self._ring):
            if kept == most_events or (kept and size + len(record.wire) > most_bytes):
                break
            kept, size = kept + 1, size + len(record.wire)
        del self._ring[:-kept]
        self._base = self._ring[0].first
        self._count(size - self._bytes)


def _first(record: Record) -> Offset:
    return record.first


def _last(record: Record) -> Offset:
    return record.last


def of_kinds(records: Sequence[Record], kinds: Collection[int]) -> Sequence[Record]:
    """Those of ``kinds``; all if it is empty."""
    return [record for record in records if record.kind in kinds] if kinds else records
