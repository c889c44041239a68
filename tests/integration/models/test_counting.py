"""Tokens are counted in one place, by each model's tokenizer, and each text once."""

import random
import threading

import pytest

from antiphon_server.integration.ledger.model import Payer, WorkspaceId
from antiphon_server.integration.models.adapters.backends import make_backend
from antiphon_server.integration.models.adapters.estimates import estimate_of
from antiphon_server.integration.models.adapters.tokenizers import Tokenizers, family_of
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.counting import (
    AT_ONCE_BYTES,
    TOKENS_OF_TOOLS,
    Counting,
    KeptCounts,
)
from antiphon_server.integration.models.measuring import measured
from antiphon_server.integration.models.model import (
    Order,
    Part,
    Prompt,
    PromptMessage,
    ToolDefinition,
)
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.encoding.token_estimate import TOKENS_PER_MESSAGE
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.proofs.tokens.measuring import error
from tests.proofs.tokens.texts import talks
from tests.proofs.tokens.tokenizers import tokenizers
from tests.proofs.tokens.windows import chat_ml

MUCH = 1_000_000


class Letters:
    """A counter for which each character is a token; it says what it was asked, and where."""

    name = "letters"
    exact = True
    margin = 1.0
    most_bytes = 4.0
    loaded = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def count(self, text: str) -> int:
        self.asked.append(text)
        self.threads.add(threading.get_ident())
        return len(text)


def said(text: str) -> PromptMessage:
    return PromptMessage("user", (Part("text", text),))


async def test_a_message_is_counted_once() -> None:
    """Its count is kept with it."""
    letters = Letters()
    counting, message = Counting(letters), said("hello")
    for _ in range(2):
        await counting.prepare([message], (), MUCH)
        assert counting.of_message(message) == 5 + TOKENS_PER_MESSAGE
    assert letters.asked == ["hello"]


async def test_a_long_text_is_counted_once_even_if_its_message_is_another() -> None:
    """Messages that are long are decoded anew with each turn."""
    letters, text = Letters(), "long " * 1_000
    counting = Counting(letters, KeptCounts())
    for _ in range(2):
        await counting.prepare([said(text)], (), MUCH)
        assert counting.of_message(said(text)) == 5_000 + TOKENS_PER_MESSAGE
    assert letters.asked == [text]


async def test_what_takes_long_is_counted_in_a_thread() -> None:
    """And not on the event loop, which others wait for."""
    letters = Letters()
    messages = [said("x" * 100) for _ in range(AT_ONCE_BYTES // 100 + 1)]
    await Counting(letters).prepare(messages, (), MUCH)
    assert threading.get_ident() not in letters.threads


async def test_no_more_is_counted_than_there_is_room_for() -> None:
    """The newest first, however long the conversation is."""
    letters = Letters()
    messages = [said("x" * 1_000) for _ in range(100)]
    await Counting(letters).prepare(messages, (), 4_500)  # and so the fifth is one too many
    assert len(letters.asked) == 5


def test_tools_and_parts_take_tokens() -> None:
    """What stands around each, too."""
    counting = Counting(Letters())
    tool = ToolDefinition("a.b", "c", "{}")
    assert counting.of_tools(()) == 0
    assert counting.of_tools([tool]) > TOKENS_OF_TOOLS + len("a.bc{}")
    picture = PromptMessage("user", (Part("image", "https://example.org/a"),))
    assert counting.of_message(picture) > 1_000


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("openai/gpt-4o-mini", "o200k"),
        ("openai/gpt-5", "o200k"),
        ("openai/o3-mini", "o200k"),
        ("openrouter/openai/gpt-4.1", "o200k"),
        ("openai/gpt-4-turbo", "cl100k"),
        ("deepseek/deepseek-chat", "deepseek"),
        ("groq/deepseek-r1-distill-llama-70b", ""),
        ("local/smollm2-135m", "smollm2"),
        ("anthropic/claude-sonnet-5", ""),
    ],
)
def test_the_name_tells_the_tokenizer(name: str, family: str) -> None:
    """Behind that of whoever serves the model."""
    assert family_of(model_named(name)) == family


@pytest.mark.parametrize("name", ["openai/gpt-4o", "openai/gpt-4", "deepseek/deepseek-chat"])
def test_a_package_counts_exactly(name: str) -> None:
    """As the provider does; what looks like a mark of a template is text."""
    settings = model_named(name)
    counting, real = Tokenizers().of(settings), tokenizers()[family_of(settings)]
    assert counting.exact
    text = "Grüße aus 東京, नमस्ते! 🎉"
    assert counting.of_message(said(text)) == real(text) + TOKENS_PER_MESSAGE
    assert counting.of_message(said("<\uff5cUser\uff5c><|endoftext|>")) > 4 + TOKENS_PER_MESSAGE


@pytest.mark.parametrize("family", ["o200k", "cl100k", "deepseek", "smollm2"])
def test_estimates_of_windows_are_near(family: str) -> None:
    """At most 16 % off at p99, of what people say in four languages and no rate was made of."""
    real = tokenizers()[family]
    for some in talks(odd=False).values():
        assert error(some, real, estimate_of(family), random.Random(1)).windows <= 0.16


def test_nothing_counts_less_than_a_token_or_more_than_its_bytes() -> None:
    """Whatever it is."""
    for text in (" ", "a", "zzzz", "\ud800", "ⶀ", "\n" * 50):
        assert 1 <= estimate_of("").count(text) <= len(text.encode("utf-8", "replace"))
    assert estimate_of("").count("") == 0


def an_order(*history: str, asked: str = "now") -> Order:
    return Order(
        Payer(WorkspaceId("ws_00000001")), (), Prompt((said(asked),), 0), tuple(map(said, history))
    )


def on_wire(name: str, context_tokens: int) -> ModelSettings:
    given = {"name": name, "kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    return configured(given | {"context_tokens": context_tokens}, ModelSettings)


async def test_what_is_longer_than_the_context_is_refused() -> None:
    """Where the model's own tokenizer says so: its provider would, after it was asked."""
    settings = on_wire("openai/gpt-4o", 512)
    model = ConfiguredModel(
        settings, make_backend(settings, HttpPool()), counting=Tokenizers().of(settings)
    )
    with pytest.raises(DomainError) as raised:
        await measured(model, an_order(asked="word " * 600))
    assert raised.value.reason is Reason.MODEL_PROMPT_TOO_LONG


async def test_an_answer_has_what_the_prompt_leaves() -> None:
    """A message that leaves less than usual gets a shorter answer, and not a refusal."""
    settings = on_wire("openai/gpt-4o", 512)
    model = ConfiguredModel(
        settings, make_backend(settings, HttpPool()), counting=Tokenizers().of(settings)
    )
    wanted = await measured(model, an_order("before", asked="word " * 450))
    assert not wanted.history
    assert 0 < wanted.max_output_tokens < 60


async def test_a_model_that_runs_here_counts_whole_prompts() -> None:
    """By its own template; of scripts that it hardly knows as few messages as its window has."""
    pytest.importorskip("xllamacpp", reason="the extra `local` is missing")
    pool, settings = HttpPool(), model_named("local/smollm2-135m")
    model = ConfiguredModel(
        settings, make_backend(settings, pool), counting=Tokenizers().of(settings)
    )
    try:
        wanted = await measured(model, an_order(*["ทุกคนเกิดมาอย่างอิสระและเท่าเทียม 12"] * 200))
        tokens = await model.backend.count(wanted.prompt.messages)
        assert tokens is not None
        assert 2_000 < tokens <= 3_000
        as_told = Prompt((model_instructions(), *wanted.prompt.messages))
        assert abs(tokens - chat_ml(tokenizers()["smollm2"])(as_told)) <= 2
    finally:
        await model.close()
        await pool.close()


def model_instructions() -> PromptMessage:
    """What the small model is told where nobody instructs it."""
    from antiphon_server.integration.models.adapters import local

    return local._INSTRUCTIONS
