"""What must hold of what workers ask for: a later attempt meets its own questions and children."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from antiphon.events.v1 import event_pb2
from antiphon_client.worker.delegation import Delegated
from tests.proofs.workers.counting import Count

Wrong = Callable[[str], None]
_CALL: Final = "tool_call_proposed"
_ASKED: Final = "tool_call_question_asked"
_END: Final = "tool_call_finished"


@dataclass(slots=True)
class Rest:
    """A turn waited for what it had asked for, by the loop's clock."""

    since: float
    until: float = inf


class Asks:
    """What workers were answered, by turn and the ask's number, and people, by question."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._heard: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._told: dict[str, set[str]] = defaultdict(set)

    def answered(self, turn_id: str, number: int, content: str) -> None:
        """A worker was told what people have said."""
        self._counts["answers heard"] += 1
        self._heard[turn_id, number].add(content)

    def delegated(self, turn_id: str, number: int, ends: Sequence[Delegated]) -> None:
        """A worker was told what others have said."""
        self._counts["children heard of"] += len(ends)
        told = [(it.turn_id, it.failed, it.text) for it in ends]
        self._heard[turn_id, number].add(repr(told))

    def told(self, question_id: str, content: str) -> None:
        """Who has answered was told that this is the first answer."""
        self._told[question_id].add(content)

    def judge(self, turn_id: str, events: Sequence[event_pb2.Event], wrong: Wrong) -> None:
        """Look at a turn: whatever was asked was asked once, and answered once."""
        for (its, number), heard in self._heard.items():
            if its == turn_id and len(heard) != 1:
                wrong(f"heard {sorted(heard)} to its ask {number}")
        for what in (_questions(events), _calls(events), _ends(events)):
            if again := [it for it, count in what.items() if count > 1]:
                wrong(f"has twice {again}")
        self._judge_answers(turn_id, events, wrong)

    def judge_whole(
        self, count: Count, events: Sequence[event_pb2.Event], children: int, wrong: Wrong
    ) -> None:
        """Look at one that has succeeded: it has asked for all that it was to ask for."""
        asked, calls, ends = _questions(events), _calls(events), _ends(events)
        if len(asked) != count.questions:
            wrong(f"has asked {len(asked)} questions, not {count.questions}")
        if children != count.turns:
            wrong(f"has {children} children, not {count.turns}")
        if calls != ends:
            wrong(f"has calls {calls}, ends {ends}")

    def _judge_answers(self, turn_id: str, events: Sequence[event_pb2.Event], wrong: Wrong) -> None:
        first: dict[str, str] = {}
        for event in events:
            if event.HasField("tool_call_question_answered"):
                it = event.tool_call_question_answered.answer
                first.setdefault(it.question_id, it.content_json)
        self._counts["answers of people"] += len(first)
        for question_id, content in first.items():
            number = int(question_id.rpartition("_")[2])
            heard = self._heard.get((turn_id, number), set())
            for known in (self._told.get(question_id, set()), heard):
                if known - {content}:
                    wrong(f"was answered {content} to {question_id}, and people or it {known}")


def rests_of(
    events: Sequence[event_pb2.Event], times: Sequence[float]
) -> Mapping[str, Sequence[Rest]]:
    """When turns waited for what they had asked for, by turn."""
    rests: dict[str, dict[str, Rest]] = defaultdict(dict)
    for event, at in zip(events, times, strict=True):
        if event.HasField(_CALL) and "." in event.tool_call_proposed.tool:
            rests[event.turn_id][event.tool_call_proposed.tool_call_id] = Rest(at)
        elif event.HasField(_END) and (
            rest := rests[event.turn_id].get(event.tool_call_finished.tool_call_id)
        ):
            rest.until = at
    return {turn_id: list(its.values()) for turn_id, its in rests.items()}


def _questions(events: Sequence[event_pb2.Event]) -> Counter[str]:
    asked = [it.tool_call_question_asked for it in events if it.HasField(_ASKED)]
    return Counter(it.question.question_id for it in asked)


def _calls(events: Sequence[event_pb2.Event]) -> Counter[str]:
    return Counter(it.tool_call_proposed.tool_call_id for it in events if it.HasField(_CALL))


def _ends(events: Sequence[event_pb2.Event]) -> Counter[str]:
    return Counter(it.tool_call_finished.tool_call_id for it in events if it.HasField(_END))
