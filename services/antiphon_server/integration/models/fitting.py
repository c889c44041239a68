"""A prompt as one model can take it: described where it can't see, and cut where it has no room."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import unquote, urlsplit

from antiphon_server.integration.models.counting import FOUR_BYTES, TOKENS_OF_PROMPT, Counting
from antiphon_server.integration.models.model import (
    Order,
    Part,
    PartKind,
    Prompt,
    PromptMessage,
)
from antiphon_server.integration.models.room import Room

_NAMES: dict[PartKind, str] = {"image": "an image", "audio": "a recording", "file": "a file"}
_LONGEST_NAME = 80
_BETWEEN = "\n\n"
PART_BESIDE = 2
"""The texts beside the messages have at most this part of what is left beside what is asked."""
_TEXT = frozenset[PartKind]({"text"})


@dataclass(frozen=True)
class Fitted:
    """An order for one model: ``history`` is what it is told of what was said before, ``beside``
    the texts that it is told besides.

    ``described`` says how many parts it is told of in words, ``asked_tokens`` how long the prompt
    is without both, as ``counting`` counts. It is not told of ``withheld`` tools.
    """

    order: Order
    max_output_tokens: int
    history: tuple[PromptMessage, ...]
    described: int
    asked_tokens: int = 0
    withheld: int = 0
    counting: Counting = FOUR_BYTES
    beside: tuple[PromptMessage, ...] = ()

    @cached_property
    def tokens(self) -> int:
        """How many tokens the prompt has, as they are counted."""
        return self.asked_tokens + self.counting.of_messages((*self.beside, *self.history))

    @cached_property
    def prompt(self) -> Prompt:
        """What the model is asked."""
        order = self.order
        beside = _as_one(self.beside)
        messages = (*order.instructions, *self.history, *beside, *order.prompt.messages)
        return replace(order.prompt, messages=messages, max_output_tokens=self.max_output_tokens)

    @property
    def omitted(self) -> int:
        """How many of the oldest messages are left out."""
        return len(self.order.history) - len(self.history)

    @property
    def omitted_texts(self) -> int:
        """How many of the texts beside the messages are left out."""
        return len(self.order.beside) - len(self.beside)

    @property
    def shortest(self) -> bool:
        """Whether nothing is left that the model could be asked without."""
        return not self.history and not self.beside

    def shorter(self) -> "Fitted":
        """The same with at most half of the history: the model has less room than was thought.

        Where none is left, with at most half of what stands beside it.
        """
        if not self.history:
            half = self.counting.of_messages(self.beside) // 2
            return replace(self, beside=_that_fit(self.beside, half, self.counting))
        half = self.counting.of_messages(self.history) // 2
        return replace(self, history=_newest(self.history, half, self.counting))

    def without(self, tokens: int) -> "Fitted":
        """The same without the oldest messages that have so many tokens, one of them at least.

        Where these are not enough, without the last texts beside them.
        """
        left = 0
        for count, message in enumerate(self.history, 1):
            left += self.counting.of_message(message)
            if left >= tokens:
                return replace(self, history=self.history[count:])
        beside = list(self.beside)
        while beside and left < max(tokens, 1):
            left += self.counting.of_message(beside.pop())
        return replace(self, history=(), beside=tuple(beside))


def fitted(
    order: Order,
    room: Room,
    accepts: frozenset[PartKind],
    *,
    takes_tools: bool = True,
    counting: Counting = FOUR_BYTES,
) -> Fitted:
    """The order for a model with that room that takes such parts, and tools or none."""
    told, strange = _described_all(order.history, accepts)
    messages, strange_now = _described_all(order.prompt.messages, accepts)
    tools = order.prompt.tools if takes_tools else ()
    withheld = len(order.prompt.tools) - len(tools)
    if withheld or any(strange_now):
        order = replace(order, prompt=replace(order.prompt, messages=messages, tools=tools))
    asked = counting.of_messages((*order.instructions, *messages)) + counting.of_tools(tools)
    left = int(room.prompt / counting.margin) - TOKENS_OF_PROMPT - asked
    beside = _that_fit(order.beside, left // PART_BESIDE, counting)
    kept = _newest(told, left - counting.of_messages(beside), counting)
    described = sum(strange[len(strange) - len(kept) :]) + sum(strange_now)
    return Fitted(order, room.output, kept, described, asked, withheld, counting, beside)


def shown_as_they_are(message: PromptMessage) -> bool:
    """Whether models can be shown its pictures: wires have none of assistants and of results."""
    return message.role == "user" and message.answers is None


def _described_all(
    messages: Sequence[PromptMessage], accepts: frozenset[PartKind]
) -> tuple[tuple[PromptMessage, ...], list[int]]:
    """The messages as the model takes them, and of each how many parts are told in words."""
    taken = [accepts if shown_as_they_are(it) else _TEXT for it in messages]
    pairs = list(zip(messages, taken, strict=True))
    strange = [len([part for part in it.parts if part.kind not in kinds]) for it, kinds in pairs]
    told = [
        _in_words(it, kinds) if count else it
        for (it, kinds), count in zip(pairs, strange, strict=True)
    ]
    return tuple(told), strange


def _newest(
    history: Sequence[PromptMessage], budget: int, counting: Counting
) -> tuple[PromptMessage, ...]:
    """The newest messages that fit."""
    first = len(history)
    while first and (budget := budget - counting.of_message(history[first - 1])) >= 0:
        first -= 1
    return tuple(history[first:])


def _that_fit(
    texts: Sequence[PromptMessage], budget: int, counting: Counting
) -> tuple[PromptMessage, ...]:
    """Those that fit, the first of them rather than the last."""
    kept = list[PromptMessage]()
    for it in texts:
        tokens = counting.of_message(it)
        if tokens <= budget:
            kept.append(it)
            budget -= tokens
    return tuple(kept)


def _as_one(texts: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """The texts as one message of the user."""
    if len(texts) < 2:
        return texts
    return [PromptMessage("user", (Part("text", _BETWEEN.join([it.text for it in texts])),))]


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
