"""What must hold of turns at workers, whatever befalls them."""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from antiphon.events.v1 import event_pb2
from tests.proofs.workers.asks import Asks, Rest, rests_of
from tests.proofs.workers.counting import Count

if TYPE_CHECKING:
    from tests.proofs.workers.hand import Hand

WITHIN_S = 10.0
FULL = "all slots of this worker are taken"


@dataclass(slots=True)
class Death:
    """A worker that was gone for good at that time, and the turn that it had."""

    at: float
    turn_id: str


@dataclass(slots=True)
class Asked:
    """A turn that was dispatched, or begun for another one."""

    turn_id: str
    count: Count
    cancelled: bool = False
    parent: str = ""


class Judge:
    """Keeps what workers say and are told, and compares it with the log at the end."""

    def __init__(self) -> None:
        self.served = True
        """Whether some worker can be reached within 30 s all the time."""
        self.asked: dict[str, Asked] = {}
        self.begun: dict[str, list[int]] = defaultdict(list)
        self.wrong: list[str] = []
        self.deaths: list[Death] = []
        self.counts: Counter[str] = Counter()
        self.next_s: list[float] = []
        """From a worker's death to the next attempt."""
        self.rested_s: list[float] = []
        """From when a turn whose worker had died had what it had asked for to its next attempt."""
        self.held_up_s: list[float] = []
        """As ``next_s``, where a server stood still or was cut off meanwhile: what it has it keeps
        until its lease, which is longer than a worker's, has run out."""
        self._away: list[tuple[float, float]] = []
        self.asks = Asks(self.counts)
        self._trace = hashlib.sha256()
        self._unacked: dict[str, dict[int, int]] = defaultdict(dict)
        """Up to which number a turn had counted with an output, by the output's own number."""
        self._acked: dict[str, int] = defaultdict(int)
        self._at: dict[str, set[str]] = defaultdict(set)

    @property
    def trace(self) -> str:
        """A digest of all that was said, told and stored, by whom, and when."""
        return self._trace.hexdigest()

    def began(self, hand: "Hand", turn_id: str, fence: int) -> None:
        """A handler began to work; who holds that attempt goes on with it, and begins it once."""
        if fence in self.begun[turn_id]:
            self.wrong.append(f"{turn_id} began twice in attempt {fence}, now at {hand.place.name}")
        self.begun[turn_id].append(fence)

    def has(self, hand: "Hand") -> set[str]:
        """The turns that it works on."""
        return set(self._at[hand.worker_id])

    def died(self, hand: "Hand") -> None:
        """It is gone for good."""
        now = _now()
        self.deaths += [Death(now, turn_id) for turn_id in self._at.pop(hand.worker_id, ())]

    @contextmanager
    def server_away(self) -> Iterator[None]:
        """A server stands still, or is cut off from all others."""
        since = _now()
        try:
            yield
        finally:
            self._away.append((since, _now()))

    def of(self, hand: "Hand") -> tuple[Callable[[Any], None], Callable[[Any], None]]:
        """Who listens to what it says on a stream, and to what it is told."""
        return lambda frame: self._said(hand, frame), lambda frame: self._told(hand, frame)

    def _note(self, what: str, message: Message) -> None:
        self._trace.update(f"{what} {_now():.6f} ".encode())
        self._trace.update(message.SerializeToString(deterministic=True))

    def _said(self, hand: "Hand", frame: Any) -> None:
        self._note(f"{hand.place.name} says", frame)
        kind = frame.WhichOneof("frame")
        self.counts[f"said {kind}"] += 1
        if kind == "output" and frame.output.text:
            it = frame.output
            self._unacked[it.turn_id][it.sequence] = int(it.text.split()[-1])
        elif kind == "decline":
            self._at[hand.worker_id].discard(frame.decline.turn_id)
            if frame.decline.reason == FULL:
                self.wrong.append(
                    f"{frame.decline.turn_id} was one turn too many for {hand.place.name}"
                )

    def _told(self, hand: "Hand", frame: Any) -> None:
        self._note(f"{hand.place.name} is told", frame)
        kind = frame.WhichOneof("frame")
        self.counts[f"told {kind}"] += 1
        at = self._at[hand.worker_id]
        if kind == "assign":
            at.add(frame.assign.turn_id)
        elif kind == "ack":
            turn_id, unacked = frame.ack.turn_id, self._unacked[frame.ack.turn_id]
            for sequence in [it for it in unacked if it <= frame.ack.sequence]:
                self._acked[turn_id] = max(self._acked[turn_id], unacked.pop(sequence) + 1)
            if frame.ack.finished:
                at.discard(frame.ack.turn_id)
        elif kind in ("cancel", "revoke"):
            at.discard(getattr(frame, kind).turn_id)
        elif kind == "rejected":
            why = frame.rejected.error.message.replace(frame.rejected.turn_id, "…")
            self.counts[f"rejected: {why}"] += 1

    def judge(
        self,
        events: Sequence[event_pb2.Event],
        times: Sequence[float],
        *,
        strict: bool,
        calm: bool,
    ) -> list[str]:
        """All that is wrong. ``calm``: streams alone were cut, so nothing may begin anew.

        ``strict``: there was a worker all the time for whoever had lost theirs.
        """
        by_turn: dict[str, list[event_pb2.Event]] = defaultdict(list)
        assigned: dict[str, list[float]] = defaultdict(list)
        for event, at in zip(events, times, strict=True):
            self._note(f"stored at {at:.6f}", event)
            if event.HasField("turn_assigned"):
                assigned[event.turn_id].append(at)
            by_turn[event.turn_id].append(event)
        children = children_of(by_turn)
        self.counts["children"] += len(children)
        every = self.asked | children
        self._succeeded = {turn_id for turn_id in every if _has_succeeded(by_turn[turn_id])}
        for turn_id, asked in every.items():
            its = sum(it.parent == turn_id for it in children.values())
            self._judge_turn(asked, by_turn[turn_id], its)
            if calm and len(self.begun[turn_id]) != 1 and not self._may_be_cancelled(asked):
                self.wrong.append(f"{turn_id} began {self.begun[turn_id]}")
        self._judge_deaths(assigned, rests_of(events, times), strict=strict)
        return self.wrong

    def _may_be_cancelled(self, asked: Asked) -> bool:
        """Somebody did so, or it went with the turn that had asked for it."""
        return asked.cancelled or bool(asked.parent and asked.parent not in self._succeeded)

    def _judge_turn(self, asked: Asked, events: Sequence[event_pb2.Event], children: int) -> None:
        def wrong(why: str) -> None:
            self.wrong.append(f"{asked.turn_id} {why}")

        attempts = [it.attempt for it in events if it.attempt]
        if attempts != sorted(attempts):
            wrong(f"has events of a fenced attempt: {attempts}")
        accepted = sum(it.HasField("turn_accepted") for it in events)
        if accepted != 1:
            wrong(f"was accepted {accepted} times")
        ends = [it.turn_finished for it in events if it.HasField("turn_finished")]
        if len(ends) != 1:
            wrong(f"has ended {len(ends)} times")
            return
        state = event_pb2.TurnState.Name(ends[0].state).removeprefix("TURN_STATE_")
        self.counts[state] += 1
        words = "".join(it.text_delta_appended.text for it in events).split()
        if words != [str(number) for number in range(len(words))]:
            wrong(f"says {' '.join(words)}")
        self.asks.judge(asked.turn_id, events, wrong)
        if state == "SUCCEEDED":
            if len(words) != asked.count.many:
                wrong(f"says {len(words)} of {asked.count.many} numbers")
            self.asks.judge_whole(asked.count, events, children, wrong)
        if self._acked[asked.turn_id] > len(words):
            wrong(f"says {len(words)} numbers, {self._acked[asked.turn_id]} were acknowledged")
        unserved = not self.served and "no worker" in ends[0].error.message.lower()
        self.counts["unserved for 30 s"] += unserved
        may_be_cancelled = self._may_be_cancelled(asked)
        if not (state == "SUCCEEDED" or unserved or (state == "CANCELLED" and may_be_cancelled)):
            wrong(f"is {state}: {ends[0].error}")
        posted = [it.message_posted.message for it in events if it.HasField("message_posted")]
        replies = ["".join(part.text for part in it.parts) for it in posted]
        if words and replies[-1].split() != words:
            wrong(f"has the answer {replies[-1]}")

    def _judge_deaths(
        self,
        assigned: Mapping[str, Sequence[float]],
        rests: Mapping[str, Sequence[Rest]],
        *,
        strict: bool,
    ) -> None:
        for death in self.deaths:
            found = [it for it in assigned.get(death.turn_id, ()) if it > death.at]
            if not found:  # it was cancelled, or had ended and not heard so
                continue
            # A turn that waits for an answer needs nobody before that.
            its = rests.get(death.turn_id, ())
            rested = max((it.until for it in its if it.since <= death.at < it.until), default=0.0)
            took = found[0] - max(death.at, min(rested, found[0]))
            held_up = any(since < found[0] and until > death.at for since, until in self._away)
            times = self.held_up_s if held_up else self.rested_s if rested else self.next_s
            times.append(took)
            if strict and took > WITHIN_S:
                self.wrong.append(f"{death.turn_id} went on after {took:.1f} s")


def children_of(by_turn: Mapping[str, Sequence[event_pb2.Event]]) -> dict[str, Asked]:
    """The turns that turns have begun, as the log has them."""
    children: dict[str, Asked] = {}
    for turn_id, events in by_turn.items():
        for event in events:
            if parent := event.turn_accepted.parent_turn_id:
                posted = next(it for it in events if it.HasField("message_posted"))
                text = "".join(part.text for part in posted.message_posted.message.parts)
                children[turn_id] = Asked(turn_id, Count.of(text), parent=parent)
    return children


def _has_succeeded(events: Sequence[event_pb2.Event]) -> bool:
    return any(it.turn_finished.state == event_pb2.TURN_STATE_SUCCEEDED for it in events)


def _now() -> float:
    return asyncio.get_running_loop().time()
