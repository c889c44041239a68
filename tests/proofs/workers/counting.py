"""What a turn of the rig does: it counts, and on the way it asks people, and others to count."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

QUESTION, TURNS = "question", "turns"
SCHEMA = {
    "type": "object",
    "properties": {"said": {"type": "string"}},
    "required": ["said"],
}


@dataclass(frozen=True, slots=True)
class Count:
    """How far, how many milliseconds apart, every how many a tool of its own is used, how often
    people are asked, and how many others count meanwhile: half as far, asking half as much.
    """

    many: int
    gap_ms: int
    every: int = 0
    questions: int = 0
    turns: int = 0

    def __str__(self) -> str:
        return f"{self.many} {self.gap_ms} {self.every} {self.questions} {self.turns}"

    @classmethod
    def of(cls, message: str) -> "Count":
        """What a turn's message says."""
        return cls(*map(int, message.split()))

    @property
    def child(self) -> "Count":
        """What each of the others does."""
        return Count(self.many // 2 + 1, self.gap_ms, 0, self.questions // 2, self.turns // 2)

    def asks_before(self, number: int) -> Iterator[str]:
        """What is asked for before that number is said: always the same."""
        for at in range(self.questions):
            if number == self.many * at // self.questions:
                yield QUESTION
        if self.turns and number == self.many // 2:
            yield TURNS


def content_of(said: str) -> str:
    """An answer of people, as the schema wants it."""
    return json.dumps({"said": said})
