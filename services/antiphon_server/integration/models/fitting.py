"""A prompt as one model can take it: what was said before, described and cut where it has to be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import unquote, urlsplit

from antiphon_server.integration.models.model import (
    Order,
    Part,
    PartKind,
    Prompt,
    PromptMessage,
)
from antiphon_server.integration.models.room import Room
from antiphon_server.integration.models.tokens import (
    tokens_of_message,
    tokens_of_prompt,
    tokens_of_tools,
)

_NAMES: dict[PartKind, str] = {"image": "an image", "audio": "a recording", "file": "a file"}
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Fitted:
    """An order for one model: ``history`` is what it is told of what was said before.

    ``described`` says how many of the history's parts it is told of in words.
    """

    order: Order
    max_output_tokens: int
    history: tuple[PromptMessage, ...]
    described: int

    @cached_property
    def prompt(self) -> Prompt:
        """What the model is asked."""
        order = self.order
        messages = (*order.instructions, *self.history, *order.prompt.messages)
        return replace(order.prompt, messages=messages, max_output_tokens=self.max_output_tokens)

    @property
    def omitted(self) -> int:
        """How many of the oldest messages are left out."""
        return len(self.order.history) - len(self.history)

    def shorter(self) -> "Fitted":
        """The same with at most half of the history: the model has less room than was thought."""
        return replace(self, history=_newest(self.history, tokens_of_prompt(self.history) // 2))


def fitted(order: Order, room: Room, accepts: frozenset[PartKind]) -> Fitted:
    """The order for a model with that room that takes such parts."""
    strange = [len([part for part in it.parts if part.kind not in accepts]) for it in order.history]
    told = [
        _in_words(message, accepts) if count else message
        for message, count in zip(order.history, strange, strict=True)
    ]
    asked = tokens_of_prompt((*order.instructions, *order.prompt.messages))
    asked += tokens_of_tools(order.prompt.tools)
    kept = _newest(told, room.prompt - asked)
    described = sum(strange[len(strange) - len(kept) :])
    return Fitted(order, room.output, kept, described)


def _newest(history: Sequence[PromptMessage], budget: int) -> tuple[PromptMessage, ...]:
    """The newest messages that fit."""
    first = len(history)
    while first and (budget := budget - tokens_of_message(history[first - 1])) >= 0:
        first -= 1
    return tuple(history[first:])


def _in_words(message: PromptMessage, accepts: frozenset[PartKind]) -> PromptMessage:
    parts = [part if part.kind in accepts else _described(part) for part in message.parts]
    return replace(message, parts=tuple(parts))


def _described(part: Part) -> Part:
    """The part in words; of its address the last name alone, since the rest may be a secret."""
    name = unquote(urlsplit(part.content).path.rpartition("/")[2])
    shown = "".join([char if char.isprintable() else " " for char in name.replace('"', "'")])
    shown = shown[:_LONGEST_NAME].strip()
    named = f' named "{shown}"' if shown else ""
    return Part("text", f"[{_NAMES[part.kind]}{named}, which you can't see]")
