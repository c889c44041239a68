"""Long conversations with questions about them, from JSON lines or from text as people write it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")

_SESSION = re.compile(r"^## session (?P<number>\d+) \| (?P<time>.+)$")
_TURN = re.compile(r"^(?P<id>T\d+) (?P<speaker>[^:]{1,40}): (?P<text>.+)$")
_QUESTION = re.compile(r"^(?P<id>Q\d+) \[(?P<kind>\w+)\] (?P<text>.+?) \| (?P<evidence>[T\d ]+)$")


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said; `time` as people write it, or empty."""

    id: str
    session: str
    time: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; the turns that answer it and its kind, where they are known."""

    id: str
    text: str
    kind: str = ""
    evidence: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole one, in the order in which it was held."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]

    @property
    def language(self) -> str:
        """Of one of ours, ``en`` and the like."""
        return self.name.partition("-")[0]

    @property
    def held_out(self) -> bool:
        """Whether this one of ours is never learned from: those with an even number."""
        return int(self.name.partition("-")[2]) % 2 == 0


def from_json_lines(file: Path) -> Iterator[Conversation]:
    """The conversations of a file: ``{conversation, turns: […], questions: […]}`` a line."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield _of_json(json.loads(line))


def ours(folder: Path = DATA) -> list[Conversation]:
    """The development set, by name."""
    return [from_text(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*-*.txt"))]


def from_text(text: str) -> Conversation:
    """A conversation of the development set: what its README says of the form."""
    turns, questions, session, time = [], [], "", ""
    lines = text.splitlines()
    for line in lines:
        if head := _SESSION.match(line):
            session, time = head["number"], head["time"]
        elif turn := _TURN.match(line):
            turns.append(Turn(turn["id"], session, time, turn["speaker"], turn["text"]))
        elif asked := _QUESTION.match(line):
            evidence = frozenset(asked["evidence"].split())
            questions.append(Question(asked["id"], asked["text"], asked["kind"], evidence))
    return Conversation(lines[0].removeprefix("# ").strip(), tuple(turns), tuple(questions))


def _of_json(value: dict[str, Any]) -> Conversation:
    turns = tuple(
        Turn(
            str(turn["id"]),
            str(turn.get("session", "")),
            str(turn.get("time") or ""),
            str(turn.get("speaker") or ""),
            str(turn.get("text") or ""),
        )
        for turn in value["turns"]
    )
    questions = tuple(Question(str(each["id"]), str(each["text"])) for each in value["questions"])
    return Conversation(str(value["conversation"]), turns, questions)
