"""Rules find little, and what they find is so; a day's traffic leaves no junk."""

import pytest

from antiphon_server.memory.extracting import Hold, extract
from tests.proofs.extraction.labelled import KEPT, KNOWN, folded
from tests.proofs.extraction.measuring import Measured, measured, measured_by_model, together
from tests.proofs.extraction.phrases import PHRASES
from tests.proofs.extraction.traffic import Person, Remembered, day, people, restatements


def of(names: dict[str, int]) -> Measured:
    return together([measured(it) for it in names])


def test_nine_of_ten_facts_that_are_found_are_so() -> None:
    """In conversations that people wrote, once what was wrong at first is mended."""
    assert of(KNOWN).precision >= 0.9
    assert of(KEPT).precision >= 0.9


def test_recall_is_no_worse_than_it_was() -> None:
    """Of all that a person finds, in the same conversations."""
    assert of(KNOWN).recall >= 0.3
    assert of(KEPT).recall >= 0.18


def test_of_a_capable_model_is_believed_what_was_said() -> None:
    """One that knows nine of ten labels, and makes up three for ten of them."""
    found = together([measured_by_model(it) for it in [*KNOWN, *KEPT]])
    assert found.precision >= 0.97
    assert found.recall >= 0.75


@pytest.mark.parametrize("language", PHRASES)
def test_a_thousand_restatements_make_one_fact(language: str) -> None:
    """In all the ways there are to say it, between chatter."""
    person = next(it for it in people(4) if it.language == language)
    for slot in person.phrases.says:
        remembered = Remembered()
        for said in restatements(person, slot, 1000, seed=1):
            remembered.hear(said)
        assert (len(remembered.holding), remembered.restated) == (1, 999), slot


@pytest.mark.parametrize("seed", [1, 2])
def test_a_days_traffic_leaves_what_is_true_and_nothing_else(seed: int) -> None:
    """Of 20 people in four languages; what they took back or changed was replaced."""
    for person in people(20):
        remembered = Remembered()
        for said in day(person, seed):
            remembered.hear(said)
        assert holding(remembered) == true_of(person), person.name
        assert remembered.unsourced == 0


@pytest.mark.parametrize("language", PHRASES)
def test_chatter_and_traps_tell_nothing(language: str) -> None:
    """Whatever values stand in them."""
    person = next(it for it in people(4) if it.language == language)
    phrases = person.phrases
    values = {slot: those[0] for slot, those in phrases.values.items()}
    for text in [*phrases.chatter, *(it.format(**values) for it in phrases.traps)]:
        said = next(day(person, 1, messages=1))
        assert not extract(type(said)(text, said.subject, said.name, said.time_us, language)), text


def holding(remembered: Remembered) -> set[tuple[str, str, bool]]:
    """What is held, by slot and value, and whether it is so or denied."""
    return {(it.slot, it.value, it.hold is Hold.HOLDS) for it in remembered.holding}


def true_of(person: Person) -> set[tuple[str, str, bool]]:
    """What is true of somebody at the end of their day, in the same way."""
    liked = {(slot, _compared(value), True) for slot, value in person.holds.items()}
    return liked | {("likes", _compared(it), False) for it in person.disliked}


def _compared(value: str) -> str:
    words = folded(value).split()
    return " ".join(words[1:] if words[0] in ("le", "la", "les", "el", "los", "las") else words)
