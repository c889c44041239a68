"""How much of the evidence is found: micro over all evidence, macro as the mean of questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.proofs.recall.conversations import Conversation, Question

FIRST = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one question."""

    conversation: Conversation
    question: Question
    found: int

    @property
    def share(self) -> float:
        """The share of its evidence among the first ten."""
        return self.found / len(self.question.evidence)


@dataclass(frozen=True, slots=True)
class Figures:
    """Recall over some questions."""

    questions: int
    micro: float
    macro: float

    def __str__(self) -> str:
        return f"{self.questions:5d} {self.micro:.3f} {self.macro:.3f}"


def judged(conversation: Conversation, ranked: Iterable[Sequence[str]]) -> list[Found]:
    """What was found for each question of the conversation."""
    return [
        Found(conversation, question, len(question.evidence.intersection(ids[:FIRST])))
        for question, ids in zip(conversation.questions, ranked, strict=True)
    ]


def figures(found: Sequence[Found]) -> Figures:
    """Recall at ten over these; there has to be one at least."""
    evidence = sum(len(each.question.evidence) for each in found)
    micro = sum(each.found for each in found) / evidence
    return Figures(len(found), micro, sum(each.share for each in found) / len(found))


def table(found: Sequence[Found]) -> str:
    """Lines of figures by half, and within it by language and by kind."""
    lines = [f"{'':24} questions micro macro"]
    for held_out, half in ((False, "learned"), (True, "held out")):
        part = [each for each in found if each.conversation.held_out == held_out]
        rows = {half: part}
        for each in part:
            rows.setdefault(f"{half}, {each.conversation.language}", []).append(each)
        for each in part:
            rows.setdefault(f"{half}, {each.question.kind}", []).append(each)
        lines += [f"{name:28} {figures(of)}" for name, of in rows.items() if of]
    return "\n".join(lines)
