"""Which models of a list are asked, by what a request needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.fitting import shown_as_they_are
from antiphon_server.integration.models.model import Prompt

TOOLS = "tools"
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, and what it lacks if it is to be passed over for that."""

    model: ConfiguredModel
    lacks: str = ""


def candidates(chosen: Sequence[ConfiguredModel], prompt: Prompt) -> Sequence[Candidate]:
    """The models in order; where some take all of a prompt, the others are to be passed over.

    Where none does, those that take most come first.
    """
    needed = _needed(prompt)
    lacking = [(model, sorted(needed - _takes(model))) for model in chosen]
    if all(lacks for _, lacks in lacking):
        return [Candidate(model) for model, _ in sorted(lacking, key=lambda it: len(it[1]))]
    return [Candidate(model, next(iter(lacks), "")) for model, lacks in lacking]


def _needed(prompt: Prompt) -> frozenset[str]:
    """What is not text: what was said before needs nothing, for it can be told in words."""
    kinds = frozenset[str]().union(*(it.kinds for it in filter(shown_as_they_are, prompt.messages)))
    return (kinds | {TOOLS} if prompt.tools else kinds) - {_TEXT}


def _takes(model: ConfiguredModel) -> frozenset[str]:
    return frozenset(model.accepts) | ({TOOLS} if model.settings.tools else frozenset())
