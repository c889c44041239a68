"""Random conversations for random models, and whether what each is sent fits into its window."""

import json
import random
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from antiphon_server.integration.ledger.model import Payer, WorkspaceId
from antiphon_server.integration.models.adapters.tokenizers import Tokenizers
from antiphon_server.integration.models.adapters.told_tools import in_words
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.counting import Counting
from antiphon_server.integration.models.measuring import measured
from antiphon_server.integration.models.model import (
    ModelStep,
    Order,
    Part,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.integration.models.tokens import most_tokens
from antiphon_server.memory.assembled import Item, OfMemory, OfMessage, OfSection, Source
from antiphon_server.memory.assembly.contributing import Asked, Contribution, Contributor
from antiphon_server.memory.assembly.memories import RelevantMemories
from antiphon_server.memory.assembly.older_messages import OlderMessages
from antiphon_server.memory.assembly.whiteboard_sections import WhiteboardSections
from antiphon_server.memory.model import ConversationId, MessageId, Newest
from antiphon_server.memory.model import WorkspaceId as WorkspaceIdOfMemory
from antiphon_server.memory.remembered import Kind
from antiphon_server.runtime.access.principal import ANONYMOUS, UserId
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.errors import DomainError, Reason
from tests.proofs.tokens.texts import keys, talks
from tests.proofs.tokens.tokenizers import Counts, tokenizers

_SCRIPTS = Path(__file__).parents[2] / "integration" / "models" / "scripts.toml"
_UNKNOWN = "other/unknown"
_MODELS = {
    "o200k": ("openai", "openai/gpt-4o"),
    "cl100k": ("openai", "openai/gpt-4"),
    "deepseek": ("openai", "deepseek/deepseek-chat"),
    "smollm2": ("local", "local/smollm2-135m"),
    "": ("openai", _UNKNOWN),
}
"""By the family of the tokenizer, empty if nobody here has it: how it is reached, and its name."""
_WINDOWS = (512, 1024, 2048, 4096, 8192, 16_384, 32_768)
_LARGE = ("o200k", "cl100k", "deepseek")
Whole = Callable[[Prompt], int]


class Backend:
    """A model that is never asked; where it runs here it counts, by template and tokenizer."""

    def __init__(self, whole: Whole | None) -> None:
        self._whole = whole

    @property
    def counts(self) -> bool:
        """See :attr:`ModelBackend.counts`."""
        return self._whole is not None

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        """Nothing is said."""
        return
        yield

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        """See :meth:`ModelBackend.count`."""
        return self._whole(Prompt(tuple(messages), tools=tuple(tools))) if self._whole else None

    def missing(self) -> str:
        """See :meth:`ModelBackend.missing`."""
        return ""

    async def context_tokens(self) -> int:
        """See :meth:`ModelBackend.context_tokens`."""
        return 0

    async def prices(self) -> Prices | None:
        """See :meth:`ModelBackend.prices`."""
        return None

    async def close(self) -> None:
        """See :meth:`ModelBackend.close`."""


@dataclass(slots=True)
class Verdict:
    """What came of the conversations: how many, by model; and what was beyond its window.

    ``told`` counts the texts that stood beside the messages, ``untold`` those that had no room.
    ``guessed`` is how far those are beyond it, as shares, whose tokenizer nobody has: by the one of
    three that counts most. ``filled`` is how much of its room each that was cut has.
    """

    conversations: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    told: int = 0
    untold: int = 0
    refused: int = 0
    beyond: list[str] = field(default_factory=list)
    guessed: list[float] = field(default_factory=list)
    underpriced: list[str] = field(default_factory=list)
    filled: list[float] = field(default_factory=list)


async def run(
    count: int, seed: int, counting: Callable[[ModelSettings], Counting] | None = None
) -> Verdict:
    """Cut so many conversations to their models' windows; judge each by the model's tokenizer."""
    chance = random.Random(seed)
    counts, said, verdict = tokenizers(), _texts(chance), Verdict()
    known = counting or Tokenizers().of
    for _ in range(count):
        family = chance.choice(list(_MODELS))
        whole = chat_ml(counts["smollm2"]) if family == "smollm2" else None
        settings = _settings(family, chance)
        model = ConfiguredModel(settings, Backend(whole), counting=known(settings))
        verdict.conversations[family or "unknown"] += 1
        await _judge(model, _order(said, chance), _real(family, counts), verdict)
    return verdict


async def _judge(model: ConfiguredModel, order: Order, real: Whole, verdict: Verdict) -> None:
    context = model.settings.context_tokens
    bare = real(Prompt((*order.instructions, *order.prompt.messages), tools=order.prompt.tools))
    try:
        wanted = await measured(model, order)
    except DomainError as error:
        verdict.refused += 1
        if error.reason is not Reason.MODEL_PROMPT_TOO_LONG or bare * 1.5 + 400 < context:
            verdict.beyond.append(f"{model.name}: {bare} of {context} were refused")
        return
    verdict.told, verdict.untold = (
        verdict.told + len(wanted.beside),
        verdict.untold + wanted.omitted_texts,
    )
    tokens, room = real(wanted.prompt), await model.room(order.prompt.max_output_tokens)
    if tokens > most_tokens(wanted.prompt):
        verdict.underpriced.append(f"{model.name}: {tokens} of {most_tokens(wanted.prompt)}")
    if bare > room.prompt / 1.5 - 400:  # what is asked alone is long: nothing was there to be cut
        if model.name != _UNKNOWN:
            _beyond(tokens + 1 > context, model, tokens, wanted.max_output_tokens, verdict)
        return
    answer = wanted.max_output_tokens
    if model.name != _UNKNOWN:
        too_long = tokens > room.prompt or tokens + answer > context
        _beyond(too_long, model, tokens, answer, verdict)
    elif tokens > room.prompt:
        verdict.guessed.append(tokens / room.prompt - 1)
    if wanted.omitted:
        verdict.cut += 1
        verdict.filled.append(tokens / room.prompt)


def _beyond(
    is_so: bool, model: ConfiguredModel, tokens: int, answer: int, verdict: Verdict
) -> None:
    if is_so:
        context = model.settings.context_tokens
        verdict.beyond.append(f"{model.name}: {tokens} and {answer} of {context}")


def _real(family: str, counts: Mapping[str, Counts]) -> Whole:
    if family == "smollm2":
        return chat_ml(counts[family])
    if family == "deepseek":
        return _openai(counts[family], around=2)
    if family:
        return _openai(counts[family])
    others = [_openai(counts[name]) for name in _LARGE]
    return lambda prompt: max(count(prompt) for count in others)


def chat_ml(count: Counts) -> Whole:
    """A prompt as the small model's template writes it; its marks are a token each."""

    def whole(prompt: Prompt) -> int:
        told = in_words(prompt, ToolNames(prompt.tools, prompt.messages)).messages
        lines = [count(f"{message.role}\n{message.text}") + 3 for message in told]
        return sum(lines) + 3

    return whole


def _openai(count: Counts, around: int = 4) -> Whole:
    """As OpenAI documents it: four tokens around a message, and three before all.

    Source: https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
    """

    def whole(prompt: Prompt) -> int:
        messages = [
            around + count(it.text) + sum(_call(call, count) for call in it.calls)
            for it in prompt.messages
        ]
        tools = [12 + sum(map(count, (it.name, it.description, it.schema))) for it in prompt.tools]
        return 3 + sum(messages) + sum(tools)

    return whole


def _call(call: ToolCall, count: Counts) -> int:
    return count(call.tool) + count(call.arguments) + 6


def _settings(family: str, chance: random.Random) -> ModelSettings:
    kind, name = _MODELS[family]
    given: dict[str, object] = {
        "name": name,
        "kind": kind,
        "context_tokens": chance.choice(_WINDOWS),
        "max_prompt_tokens": chance.choice((0, 0, 300, 3_000)),
        "max_output_tokens": chance.choice((0, 0, 100, 2_000)),
    }
    if kind == "openai":
        given["base_url"] = "http://127.0.0.1:1/v1"
    return configured(given, ModelSettings)


def _texts(chance: random.Random) -> Sequence[Sequence[str]]:
    """Texts by script, and what is no language."""
    found = tomllib.loads(_SCRIPTS.read_text())
    scripts = [[text] for text in (found["articles"] | found["others"]).values()]
    return [*scripts, *talks(odd=False).values(), keys(chance, 200)]


def _order(said: Sequence[Sequence[str]], chance: random.Random) -> Order:
    """A conversation in a few scripts, with tools and calls at times."""
    scripts = chance.sample(said, chance.randint(1, 3))
    history = [_message(scripts, chance) for _ in range(chance.randint(0, 120))]
    tools = tuple(_tool(scripts, chance) for _ in range(chance.choice((0, 0, 1, 4))))
    if tools and history:
        call = ToolCall(ToolCallId("tool_1"), "a.b", json.dumps({"q": _said(scripts, chance)}))
        history += [
            PromptMessage("assistant", (), (call,)),
            PromptMessage("user", (Part("text", _said(scripts, chance)),), answers=call.call_id),
        ]
    asked = Prompt((_message(scripts, chance, "user"),), chance.choice((0, 50, 900)), tools=tools)
    instructions = (PromptMessage("system", (Part("text", "Be brief and kind."),)),)
    payer = Payer(WorkspaceId("ws_00000001"))
    return Order(payer, (), asked, tuple(history), instructions, _beside(scripts, chance))


def _beside(scripts: Sequence[Sequence[str]], chance: random.Random) -> tuple[PromptMessage, ...]:
    """A whiteboard, memories and older messages, as memory tells a model of them; at times none.

    As much as the largest windows have room for: the model that answers may have a smaller one.
    """
    asked = Asked(
        ANONYMOUS,
        ConversationId("conv_00000001"),
        "",
        Newest(MessageId(""), 0, 0, 0, 0),
        UserId(""),
        WorkspaceIdOfMemory(""),
        room=0,
    )
    kinds: Sequence[tuple[Contributor, Source, int]] = [
        (WhiteboardSections(None), OfSection("Plan", 1), 16),  # type: ignore[arg-type]
        (RelevantMemories(*[None] * 5), OfMemory("", "", Kind.FACT, 0), 8),  # type: ignore[arg-type]
        (OlderMessages(*[None] * 3), OfMessage(MessageId(""), "users/user_a", 0), 8),  # type: ignore[arg-type]
    ]
    texts = list[str]()
    for contributor, source, most in kinds:
        if count := chance.choice((0, chance.randint(1, most))):
            items = [Item(source, _said(scripts, chance), 0) for _ in range(count)]
            texts.append(contributor.told(asked, Contribution(items)))
    return tuple(PromptMessage("user", (Part("text", it),)) for it in texts)


def _message(
    scripts: Sequence[Sequence[str]], chance: random.Random, role: str = ""
) -> PromptMessage:
    text = " ".join(_said(scripts, chance) for _ in range(chance.randint(1, 4)))
    text = text[chance.randrange(len(text) // 4 + 1) :]
    by = role or chance.choice(("user", "assistant"))
    return PromptMessage(by, (Part("text", text),))  # type: ignore[arg-type]


def _tool(scripts: Sequence[Sequence[str]], chance: random.Random) -> ToolDefinition:
    schema = {"type": "object", "properties": {"q": {"type": "string", "description": "What."}}}
    return ToolDefinition("a.b", _said(scripts, chance), json.dumps(schema))


def _said(scripts: Sequence[Sequence[str]], chance: random.Random) -> str:
    return chance.choice(chance.choice(scripts))
