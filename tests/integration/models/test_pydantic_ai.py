"""Providers behind pydantic-ai: Anthropic's wire, spoken by a server on a socket."""

import time
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from antiphon_server.integration.models.adapters.pydantic_ai import ProviderModel
from antiphon_server.integration.models.model import (
    WORKING,
    FinishReason,
    ModelEnd,
    ModelFailed,
    Part,
    Prompt,
    PromptMessage,
)
from antiphon_server.integration.models.pricing import Prices, Rates, Tokens
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.fakes.anthropic_endpoint import FakeAnthropic
from tests.integration.world import answer, asking

# Not imported: each of several workers collects these tests, and one runs them.
pytestmark = pytest.mark.skipif(
    find_spec("anthropic") is None, reason="the extra `providers` is missing"
)


@pytest.fixture
async def provider() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as provider:
        yield provider


def claude(provider: FakeAnthropic, **options: object) -> ProviderModel:
    settings = {
        "name": "anthropic/claude-sonnet-4-6",
        "kind": "provider",
        "base_url": provider.url,
        "api_key": "sk-secret",
    }
    return ProviderModel(configured(settings | options, ModelSettings))


async def test_an_answer_is_streamed_with_its_usage(provider: FakeAnthropic) -> None:
    """All texts in order, then why it ended and what it consumed."""
    backend = claude(provider)
    steps = [step async for step in backend.generate(asking())]
    assert steps == ["The", " capital", " is Paris.", ModelEnd(FinishReason.STOP, Tokens(14, 9))]
    await backend.close()


async def test_what_it_thinks_says_that_it_works(provider: FakeAnthropic) -> None:
    """And is no text."""
    provider.mode = "thinks"
    backend = claude(provider)
    steps = [step async for step in backend.generate(asking())]
    assert steps[0] == WORKING
    assert [step for step in steps if isinstance(step, str)] == ["The", " capital", " is Paris."]
    await backend.close()


async def test_what_was_cached_is_told(provider: FakeAnthropic) -> None:
    """Anthropic counts it beside the rest of the prompt; here it is a part of it."""
    provider.cached = {"cache_read_input_tokens": 1000, "cache_creation_input_tokens": 200}
    backend = claude(provider)
    _, end = await answer(backend)
    assert end.tokens == Tokens(1214, 9, cached=1000, cache_write=200)
    await backend.close()


def test_what_gemini_thinks_is_output() -> None:
    """It counts that beside what it says; sound and cached sound are parts of the prompt."""
    from pydantic_ai.usage import RequestUsage

    from antiphon_server.integration.models.adapters.pydantic_ai_stream import tokens_of

    metadata = {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 300,
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}],
        "candidatesTokenCount": 50,
        "thoughtsTokenCount": 70,
        "totalTokenCount": 1120,
    }
    usage = RequestUsage.extract(
        {"usageMetadata": metadata}, provider="google", provider_url="", provider_fallback="google"
    )
    expected = Tokens(1000, 120, cached=300, reasoning=70, audio_input=400, cached_audio=100)
    assert tokens_of(usage) == expected


async def test_the_request_is_as_the_wire_wants_it(provider: FakeAnthropic) -> None:
    """Instructions apart from the messages, roles kept, limits passed on, the key in its header."""
    messages = [("system", "Be brief."), ("user", "a"), ("assistant", "b"), ("user", "c")]
    prompt = Prompt(
        tuple(PromptMessage(role, (Part("text", text),)) for role, text in messages),  # type: ignore[arg-type]
        max_output_tokens=7,
        temperature=0.5,
    )
    backend = claude(provider)
    await answer(backend, prompt)
    (body,) = provider.bodies
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert "Be brief." in str(body["system"])
    assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == (
        "claude-sonnet-4-6",
        7,
        0.5,
        True,
    )
    assert provider.keys == ["Bearer sk-secret"]
    await backend.close()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("400", Reason.MODEL_REFUSED),
        ("401", Reason.MODEL_REFUSED),
        ("404", Reason.MODEL_REFUSED),
        ("429", Reason.MODEL_UNAVAILABLE),
        ("500", Reason.MODEL_UNAVAILABLE),
        ("529", Reason.MODEL_UNAVAILABLE),
        ("cut", Reason.MODEL_PROTOCOL),
    ],
)
async def test_each_misbehaviour_is_a_typed_error(
    provider: FakeAnthropic, mode: str, reason: Reason
) -> None:
    """Nothing that the provider said is in it, and the library does not retry by itself."""
    provider.mode = mode
    backend = claude(provider)
    with Refused(reason) as raised:
        await answer(backend)
    assert "canary" not in str(raised.error)
    if mode.isdigit():  # what it said is for operators
        assert isinstance(raised.error, ModelFailed)
        assert raised.error.said.status == int(mode)
        assert "canary" in raised.error.said.words
    assert len(provider.bodies) == 1
    await backend.close()


async def test_closing_the_answer_closes_the_providers_connection(provider: FakeAnthropic) -> None:
    """Within 100 ms."""
    provider.mode = "endless"
    backend = claude(provider)
    steps = backend.generate(asking())
    assert await anext(steps) == "The"
    stopped = time.monotonic()
    await steps.aclose()
    assert await provider.wait_aborted() - stopped < 0.1
    await backend.close()


async def test_nobody_listens() -> None:
    """A refused connection is an unavailable model."""
    async with FakeAnthropic() as provider:
        backend = claude(provider)
    with Refused(Reason.MODEL_UNAVAILABLE):
        await answer(backend)
    await backend.close()


async def test_a_missing_key_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told without asking anybody."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    backend = ProviderModel(ModelSettings(name="anthropic/claude-sonnet-4-6", kind="provider"))
    with Refused(Reason.MODEL_REFUSED):
        await answer(backend)


async def test_an_unknown_provider_is_not_found() -> None:
    """As is a provider whose library is not installed."""
    for name in ("nonsense/model", "cohere/command"):
        backend = ProviderModel(ModelSettings(name=name, kind="provider"))
        with Refused(Reason.MODEL_NOT_FOUND):
            await answer(backend)


async def test_public_prices_are_known(provider: FakeAnthropic) -> None:
    """In millionths of a dollar for a million tokens."""
    rates = Rates(3_000_000, 15_000_000, cached=300_000, cache_write=3_750_000)
    assert await claude(provider).prices() == Prices(rates)
    assert await claude(provider, name="anthropic/no-such-model").prices() is None
