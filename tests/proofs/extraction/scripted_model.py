"""A scripted model that finds what a person has labelled, and makes things up besides."""

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from antiphon_server.memory.extracting import Candidate, Utterance
from antiphon_server.memory.extracting.by_model import Line, facts_in, prompt_of
from tests.proofs.extraction.labelled import Label, Turn, folded

MISSED, MADE_UP = 0.1, 0.3
"""Of the labels those that it overlooks, and lies for each fact that it tells."""
AT_ONCE = 40
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def found_by_model(
    turns: Sequence[Turn], labels: Sequence[Label], seed: int
) -> Sequence[tuple[Turn, Candidate]]:
    """What is believed of its answers for a conversation, stretch by stretch."""
    model, found = _ScriptedModel(labels, turns, seed), list[tuple[Turn, Candidate]]()
    for start in range(0, len(turns), AT_ONCE):
        some = turns[start : start + AT_ONCE]
        lines = [
            Line(Utterance(it.text, f"users/{it.speaker}", it.speaker, it.time_us), True)
            for it in some
        ]
        answer = model.answer(prompt_of(lines), some)
        found += ((some[at], fact) for at, fact in facts_in(answer, lines))
    return found


class _ScriptedModel:
    """Knows the labels: nothing is learned of how well a real one does, but what is let through."""

    def __init__(self, labels: Sequence[Label], turns: Sequence[Turn], seed: int) -> None:
        self._labels, self._turns, self._random = labels, turns, random.Random(seed)

    def answer(self, prompt: str, turns: Sequence[Turn]) -> str:
        facts = list[dict[str, Any]]()
        for line in map(json.loads, prompt.splitlines()):
            turn = turns[line["n"] - 1]
            for label in self._labels:
                if label.turn_id == turn.turn_id and self._random.random() > MISSED:
                    facts.append(_fact(line, label))
                    if self._random.random() < MADE_UP:
                        facts.append(self._lie(facts[-1]))
        self._random.shuffle(facts)
        return json.dumps({"facts": facts})

    def _lie(self, fact: dict[str, Any]) -> dict[str, Any]:
        """The quotation of somebody else, words that nobody said, or a value out of thin air."""
        other = self._random.choice(self._turns).text
        lies: Sequence[dict[str, Any]] = (
            {"quote": other + " zxq", "topic": "lie/1"},
            {"quote": "I own a zeppelin", "value": "zeppelin", "topic": "lie/2"},
            {"value": "zeppelin", "text": "They own a zeppelin", "topic": "lie/3"},
            {"n": 10_000, "topic": "lie/4"},
        )
        return fact | self._random.choice(lies)


def _fact(line: dict[str, Any], label: Label) -> dict[str, Any]:
    word = folded(label.word)
    sentences = [it.strip() for it in _SENTENCE.findall(line["text"])]
    quote = next((it for it in sentences if word in folded(it)), line["text"][:200])
    return {
        "n": line["n"],
        "quote": quote[:300].strip(),
        "kind": "fact",
        "topic": f"{label.slot}/{word}",
        "value": label.word,
        "text": f"{line['author']}: {label.slot} {label.word}",
        "holds": "holds",
        "from": "",
        "until": "",
    }
