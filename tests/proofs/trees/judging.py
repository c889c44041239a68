"""What holds of a tree when its root has ended, whoever died meanwhile."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2
from tests.proofs.trees.grower import HANDLER, grown


@dataclass(frozen=True)
class Shape:
    """How many children a turn of each level asks for, in how many rounds; leaves last ``ms``."""

    numbers: tuple[int, ...] = (3, 12)
    rounds: int = 2
    ms: int = 800

    @property
    def message(self) -> str:
        """What the root is told."""
        return " ".join(map(str, ("root", self.rounds, self.ms, *self.numbers)))

    @property
    def turns(self) -> int:
        """How many there are in all."""
        level = total = 1
        for number in self.numbers:
            level *= number
            total += level
        return total

    @property
    def answer(self) -> str:
        """The root's."""
        return grown("root", self.rounds, self.numbers)


@dataclass
class Tree:
    """A tree as it was found: its turns, its log, and what workers said that they were given."""

    shape: Shape
    root: Turn
    turns: Sequence[Turn]
    events: Sequence[event_pb2.Event]
    given: Sequence[Sequence[str]]

    @property
    def wrong(self) -> list[str]:
        """All that is."""
        grown_up = self.root.state == event_pb2.TURN_STATE_SUCCEEDED
        found = [*self._ends(), *self._births(), *self._gifts()]
        return [*found, *(self._growth() if grown_up else self._fall())]

    def _ends(self) -> Iterator[str]:
        """Each turn ends once, and its calls at most once."""
        ends = Counter(it.turn_id for it in self.events if it.HasField("turn_finished"))
        for turn in self.turns:
            if not turn.HasField("end_time") or ends[turn.turn_id] != 1:
                state = event_pb2.TurnState.Name(turn.state)
                yield f"{turn.turn_id} is {state} and has {ends[turn.turn_id]} ends in the log"
        calls = (it.tool_call_finished.tool_call_id for it in self.events)
        yield from (f"{it} ends {n} times" for it, n in Counter(calls).items() if it and n > 1)

    def _births(self) -> Iterator[str]:
        """A turn is begun once, by the one call that has asked for it."""
        asked = Counter[tuple[str, str]]()
        for it in self.events:
            if it.tool_call_proposed.tool == f"handlers.{HANDLER}":
                child = json.loads(it.tool_call_proposed.arguments_json)["turn_id"]
                asked[it.turn_id, child] += 1
        begun = Counter(
            (it.turn_accepted.parent_turn_id, it.turn_id)
            for it in self.events
            if it.HasField("turn_accepted") and it.turn_accepted.parent_turn_id
        )
        for which, number in (asked | begun).items():
            if (asked[which], begun[which]) not in ((1, 1), (1, 0)):
                yield f"{which}: asked for {asked[which]} times, begun {begun[which]} times"
            elif number and not begun[which] and self._has_succeeded:
                yield f"{which} was never begun"
        if len(self.turns) != len(begun) + 1:
            yield f"{len(self.turns)} turns are stored, {len(begun)} were begun by others"

    @property
    def _has_succeeded(self) -> bool:
        return self.root.state == event_pb2.TURN_STATE_SUCCEEDED

    def _gifts(self) -> Iterator[str]:
        """Each attempt of a turn is given the same by each of its rounds."""
        by_round = defaultdict[tuple[str, str], set[tuple[str, ...]]](set)
        for turn_id, at, *said in self.given:
            by_round[turn_id, at].add(tuple(said))
        for which, each in by_round.items():
            if len(each) > 1:
                yield f"round {which} was given {len(each)} different answers"

    def _growth(self) -> Iterator[str]:
        """All have succeeded, and the root's answer has each once, in order."""
        if len(self.turns) != self.shape.turns:
            yield f"{len(self.turns)} turns instead of {self.shape.turns}"
        failed = [it for it in self.turns if it.state != event_pb2.TURN_STATE_SUCCEEDED]
        yield from (f"{it.turn_id} is {event_pb2.TurnState.Name(it.state)}" for it in failed)
        posted = [it for it in self.events if it.HasField("message_posted")]
        said = [
            "".join(part.text for part in it.message_posted.message.parts)
            for it in posted
            if it.turn_id == self.root.turn_id
            and it.message_posted.message.author.startswith("handlers/")
        ]
        if said != [self.shape.answer]:
            yield f"the root said {said}"

    def _fall(self) -> Iterator[str]:
        """It was stopped, nothing else."""
        if self.root.state != event_pb2.TURN_STATE_CANCELLED:
            yield f"the root is {event_pb2.TurnState.Name(self.root.state)}"
        if len(self.turns) > self.shape.turns:
            yield f"{len(self.turns)} turns instead of at most {self.shape.turns}"
