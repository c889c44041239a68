"""What rules find, compared with what a person found."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon_server.memory.extracting import Candidate, Utterance, extract
from tests.proofs.extraction.labelled import Label, Turn, folded, labels, turns
from tests.proofs.extraction.scripted_model import found_by_model

_ALIKE = ({"plan", "event"}, {"diet", "eats"}, {"works_as", "works_at"})


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one conversation: what was found rightly and wrongly, and what was missed."""

    right: Sequence[tuple[Turn, Candidate]]
    wrong: Sequence[tuple[Turn, Candidate]]
    missed: Sequence[Label]

    @property
    def precision(self) -> float:
        """Of what was found, how much is so; 1 if nothing was."""
        found = len(self.right) + len(self.wrong)
        return len(self.right) / found if found else 1.0

    @property
    def recall(self) -> float:
        """Of what a person found, how much was found."""
        return len(self.right) / (len(self.right) + len(self.missed))


def measured(name: str) -> Measured:
    """What rules find in the conversation, turn by turn."""
    said = turns(name)
    return _compared(name, [(turn, it) for turn in said for it in found_in(turn, name[:2])])


def measured_by_model(name: str, seed: int = 1) -> Measured:
    """What is believed of a scripted model that knows most of the labels, and makes things up."""
    return _compared(name, found_by_model(turns(name), labels(name), seed))


def _compared(name: str, found: Sequence[tuple[Turn, Candidate]]) -> Measured:
    """One candidate finds one label."""
    left = list(labels(name))
    right, wrong = [], []
    for turn, candidate in found:
        label = next((it for it in left if _says(candidate, turn, it)), None)
        if label is None:
            wrong.append((turn, candidate))
        else:
            left.remove(label)
            right.append((turn, candidate))
    return Measured(right, wrong, left)


def together(those: Sequence[Measured]) -> Measured:
    """Several as one."""
    return Measured(
        [it for each in those for it in each.right],
        [it for each in those for it in each.wrong],
        [it for each in those for it in each.missed],
    )


def found_in(turn: Turn, language: str) -> Sequence[Candidate]:
    """What rules find in a turn."""
    said = Utterance(turn.text, f"users/{turn.speaker}", turn.speaker, turn.time_us, language)
    return extract(said)


def _says(candidate: Candidate, turn: Turn, label: Label) -> bool:
    slots = {candidate.slot, label.slot}
    alike = len(slots) == 1 or label.slot == "other" or any(slots <= it for it in _ALIKE)
    return turn.turn_id == label.turn_id and alike and folded(label.word) in folded(candidate.text)
