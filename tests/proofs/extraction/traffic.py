"""A day of twenty simulated people, seeded: what they say, and what is true of them at its end."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from antiphon_server.memory.extracting import Candidate, Utterance, extract, settled
from tests.proofs.extraction.phrases import PHRASES, Phrases

_NOON_US = 1_700_000_000_000_000
_SINGLE = ("lives_in", "works_as")


@dataclass(slots=True)
class Person:
    """Somebody, what holds of them now (values by slot), and what they like no more."""

    subject: str
    name: str
    language: str
    holds: dict[str, str] = field(default_factory=dict)
    disliked: set[str] = field(default_factory=set)

    @property
    def phrases(self) -> Phrases:
        """Theirs."""
        return PHRASES[self.language]


@dataclass(slots=True)
class Remembered:
    """What rules made of a day: facts that hold, those that were replaced, and restatements."""

    holding: list[Candidate] = field(default_factory=list)
    replaced: list[Candidate] = field(default_factory=list)
    restated: int = 0
    unsourced: int = 0

    def hear(self, said: Utterance) -> None:
        """Extract from one message, and settle what was found with what is known."""
        for found in extract(said):
            if not said.text[found.start : found.end].strip():
                self.unsourced += 1
            outcome = settled(found, self.holding)
            if outcome.same is not None:
                self.restated += 1
                continue
            self.replaced += outcome.replaces
            self.holding = [it for it in self.holding if it not in outcome.replaces]
            self.holding.append(found)


def people(count: int = 20) -> Sequence[Person]:
    """As many of each language."""
    languages = list(PHRASES)
    return [Person(f"users/user_{at:010}", f"Name{at}", languages[at % 4]) for at in range(count)]


def day(person: Person, seed: int, messages: int = 120) -> Iterator[Utterance]:
    """What the person says from morning to evening; ``person`` knows what is true behind it."""
    chance = random.Random(f"{seed} {person.subject}")
    for at in range(messages):
        said = _message(person, chance)
        yield Utterance(
            said, person.subject, person.name, _NOON_US + at * 60_000_000, person.language
        )


def restatements(person: Person, slot: str, count: int, seed: int) -> Iterator[Utterance]:
    """One fact, said so often, in all ways there are, between chatter."""
    chance = random.Random(f"{seed} {slot}")
    value = person.phrases.values[slot][0]
    for at in range(count):
        said = chance.choice(person.phrases.says[slot]).format(v=value)
        if chance.random() < 0.5:
            said = f"{chance.choice(person.phrases.chatter)} {said}"
        yield Utterance(
            said, person.subject, person.name, _NOON_US + at * 1_000_000, person.language
        )


def _message(person: Person, chance: random.Random) -> str:
    roll = chance.random()
    if roll < 0.40:
        return chance.choice(person.phrases.chatter)
    if roll < 0.55:
        values = {slot: chance.choice(list(them)) for slot, them in person.phrases.values.items()}
        return chance.choice(person.phrases.traps).format(**values)
    if roll < 0.60 and "likes" in person.holds:
        disliked = person.holds.pop("likes")
        person.disliked.add(disliked)
        return chance.choice(person.phrases.denies["likes"]).format(v=disliked)
    slot = chance.choice(list(person.phrases.says))
    return chance.choice(person.phrases.says[slot]).format(v=_value(person, slot, chance))


def _value(person: Person, slot: str, chance: random.Random) -> str:
    """Mostly what was said before; now and then another one, where there can be only one."""
    known = person.holds.get(slot)
    if known is None or (slot in _SINGLE and chance.random() < 0.15):
        known = chance.choice(list(person.phrases.values[slot]))
    person.holds[slot] = known
    if slot == "likes":
        person.disliked.discard(known)
    return known
