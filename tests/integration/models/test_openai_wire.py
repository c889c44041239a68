"""The adapter for the OpenAI wire, against an endpoint on a socket."""

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from antiphon_server.integration.models.adapters.openai_wire import OpenAIModel
from antiphon_server.integration.models.attempt import said_by
from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    Part,
    Prompt,
    PromptMessage,
)
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.world import answer, asking, on_wire


def model(endpoint: FakeEndpoint, pool: HttpPool, **options: Any) -> OpenAIModel:
    return OpenAIModel(on_wire(endpoint.base_url, **options), pool)


async def failure(backend: OpenAIModel) -> DomainError:
    with pytest.raises(DomainError) as raised:
        await answer(backend)
    assert "canary" not in str(raised.value)
    assert "secret" not in str(raised.value)
    return raised.value


async def test_an_answer_is_streamed_with_its_usage(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """All texts in order, then why it ended and what it consumed."""
    text, end = await answer(model(endpoint, pool))
    assert text == "word " * 4
    assert end == ModelEnd(FinishReason.STOP, Tokens(11, 20))


async def test_each_text_is_handed_on_when_it_comes(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """Nothing waits for more."""
    endpoint.behaviour = Behaviour(deltas=4, gap_ms=30)
    times = [time.monotonic() async for _ in model(endpoint, pool).generate(asking())]
    assert len(times) == 5
    assert times[3] - times[0] > 0.06


async def test_the_request_is_as_the_wire_wants_it(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """Model, messages, limits, streaming with usage, and the key in its header."""
    prompt = Prompt(
        (
            PromptMessage("system", (Part("text", "Be brief."),)),
            PromptMessage("user", (Part("text", "What is it?"), Part("image", "https://x/y.png"))),
        ),
        max_output_tokens=7,
        temperature=0.5,
    )
    await answer(model(endpoint, pool), prompt)
    assert endpoint.seen[0].headers["authorization"] == "Bearer sk-secret"
    assert endpoint.seen[0].body == {
        "model": "small",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                ],
            },
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "temperature": 0.5,
    }


async def test_connections_are_used_again(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """A finished answer gives its connection back."""
    backend = model(endpoint, pool)
    for _ in range(5):
        await answer(backend)
    assert endpoint.connections == 1


async def test_a_kept_connection_that_was_closed_costs_nothing(
    endpoint: FakeEndpoint, pool: HttpPool
) -> None:
    """The request is sent again on a new one."""
    backend = model(endpoint, pool)
    await answer(backend)
    endpoint.hang_up()
    assert (await answer(backend))[0] == "word " * 4


async def test_single_bytes_are_an_answer_too(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """However slowly it drips."""
    text, _ = await answer(model(endpoint, pool, name="openai/drip"))
    assert text == "word " * 4


@pytest.mark.parametrize(
    ("mode", "reason", "status"),
    [
        ("400", Reason.MODEL_REFUSED, "400"),
        ("401", Reason.MODEL_REFUSED, "401"),
        ("403", Reason.MODEL_REFUSED, "403"),
        ("404", Reason.MODEL_REFUSED, "404"),
        ("too_long", Reason.MODEL_PROMPT_TOO_LONG, None),
        ("429", Reason.MODEL_UNAVAILABLE, None),
        ("500", Reason.MODEL_UNAVAILABLE, None),
        ("503", Reason.MODEL_UNAVAILABLE, None),
        ("garbage", Reason.MODEL_PROTOCOL, None),
        ("cut", Reason.MODEL_PROTOCOL, None),
        ("no_end", Reason.MODEL_PROTOCOL, None),
        ("flood", Reason.MODEL_PROTOCOL, None),
        ("newlines", Reason.MODEL_PROTOCOL, None),
        ("comments", Reason.MODEL_PROTOCOL, None),
        ("fault", Reason.MODEL_UNAVAILABLE, None),
    ],
)
async def test_each_misbehaviour_is_a_typed_error(
    endpoint: FakeEndpoint, pool: HttpPool, mode: str, reason: Reason, status: str | None
) -> None:
    """The model is named; nothing that the provider said is."""
    error = await failure(model(endpoint, pool, name=f"openai/{mode}"))
    assert (error.reason, error.metadata.get("http_status")) == (reason, status)
    assert error.metadata["model"] == f"openai/{mode}"


@pytest.mark.parametrize("mode", ["newlines", "comments"])
async def test_lines_without_end_leave_the_loop_to_others(
    endpoint: FakeEndpoint, pool: HttpPool, mode: str
) -> None:
    """Most of it, until they are too many: whoever else is waited for is hardly late."""
    asked = asyncio.create_task(failure(model(endpoint, pool, name=f"openai/{mode}")))
    late = []
    while not asked.done():
        began = time.monotonic()
        await asyncio.sleep(0.001)
        late.append(time.monotonic() - began)
    late.sort()
    print(f"{mode}: {sum(late):.1f} s, p50 {late[len(late) // 2] * 1000:.1f} ms")
    assert asked.result().reason is Reason.MODEL_PROTOCOL
    assert late[len(late) // 2] < 0.02


async def test_comments_are_no_answer(endpoint: FakeEndpoint, pool: HttpPool) -> None:
    """However often they come: an event has to, within the limit."""
    endpoint.behaviour = Behaviour("pings", deltas=2, gap_ms=10)
    async with asyncio.timeout(10):
        error = await failure(model(endpoint, pool, idle_timeout_s=0.2))
    assert (error.reason, error.metadata["timeout_ms"]) == (Reason.MODEL_TIMEOUT, "200")
    endpoint.behaviour = Behaviour("pings", deltas=0, gap_ms=10)
    async with asyncio.timeout(10):
        error = await failure(model(endpoint, pool, first_byte_timeout_s=0.3))
    assert (error.reason, error.metadata["timeout_ms"]) == (Reason.MODEL_TIMEOUT, "300")


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("1.5", 1.5), ("86400", 60.0), ("soon", None), ("", None)]
)
async def test_retry_after_is_heard_and_bounded(
    endpoint: FakeEndpoint, pool: HttpPool, header: str, seconds: float | None
) -> None:
    """At most a minute; what is not a number of seconds is not heard."""
    endpoint.behaviour = Behaviour("429", retry_after=header)
    assert (await failure(model(endpoint, pool))).retry_after == seconds


async def test_nobody_listens(pool: HttpPool) -> None:
    """A refused connection is an unavailable model."""
    async with FakeEndpoint() as endpoint:
        backend = model(endpoint, pool)
    assert (await failure(backend)).reason is Reason.MODEL_UNAVAILABLE


@pytest.mark.parametrize(
    ("user", "says"), [("", "Connection refused"), ("me:geheim@", "can't be used as an address")]
)
async def test_the_log_says_which_endpoint_is_dead(
    pool: HttpPool, caplog: pytest.LogCaptureFixture, user: str, says: str
) -> None:
    """Where it is and what the system said; of the address nothing that may be a secret."""
    url = f"http://{user}127.0.0.1:1/v1?key=hidden"
    failed = await failure(OpenAIModel(on_wire(url), pool))
    assert failed.reason is Reason.MODEL_UNAVAILABLE
    assert said_by(failed).words.startswith("http://127.0.0.1:1/v1: ")
    assert says in said_by(failed).words
    assert "at http://127.0.0.1:1/v1 does not answer: " in caplog.text
    assert says in caplog.text
    assert "geheim" not in caplog.text + said_by(failed).words
    assert "hidden" not in caplog.text + said_by(failed).words


async def test_no_host_of_that_name(pool: HttpPool) -> None:
    """Nor one whose name can't be looked up."""
    backend = OpenAIModel(on_wire("http://no-such-host.invalid/v1"), pool)
    assert (await failure(backend)).reason is Reason.MODEL_UNAVAILABLE


@pytest.mark.parametrize(
    ("mode", "limits", "timeout_ms"),
    [
        ("hang", {"first_byte_timeout_s": 0.1}, "100"),
        ("silent", {"idle_timeout_s": 0.1}, "100"),
    ],
)
async def test_silence_is_a_timeout_and_ends_the_connection(
    endpoint: FakeEndpoint, pool: HttpPool, mode: str, limits: dict[str, float], timeout_ms: str
) -> None:
    """Before the first byte, and between two."""
    error = await failure(model(endpoint, pool, name=f"openai/{mode}", **limits))
    assert error.reason is Reason.MODEL_TIMEOUT
    assert error.metadata["timeout_ms"] == timeout_ms
    await endpoint.wait_aborted()


async def test_a_slow_first_byte_within_its_limit_is_waited_for(
    endpoint: FakeEndpoint, pool: HttpPool
) -> None:
    """The limit between bytes does not apply to it."""
    endpoint.behaviour = Behaviour(deltas=2, first_byte_ms=150)
    text, _ = await answer(model(endpoint, pool, idle_timeout_s=0.05))
    assert text == "word word "


@pytest.mark.parametrize("mode", ["hang", "silent", "ok"])
@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_stopping_closes_the_providers_connection(
    endpoint: FakeEndpoint, pool: HttpPool, mode: str, how: str
) -> None:
    """Within 100 ms, before the first byte and in mid-stream, by either way to stop."""
    endpoint.behaviour = Behaviour(mode, deltas=1000, gap_ms=5)
    got = asyncio.Event()

    async def read() -> None:
        async with aclosing(model(endpoint, pool).generate(asking())) as steps:
            async for _ in steps:
                got.set()
                if how == "close":
                    return

    task = asyncio.create_task(read())
    if mode == "hang":
        await endpoint.wait_seen(1)
        if how == "close":  # an iterator that is being read can only be cancelled
            task.cancel()
    else:
        await got.wait()
    stopped = time.monotonic()
    if how == "cancel":
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await endpoint.wait_aborted() - stopped < 0.1


async def test_many_answers_at_once_share_the_pool(endpoint: FakeEndpoint) -> None:
    """A bounded pool makes the others wait, and all get their answer."""
    pool = HttpPool(max_connections=4)
    endpoint.behaviour = Behaviour(deltas=3, gap_ms=1)
    backend = model(endpoint, pool)
    answers = await asyncio.gather(*(answer(backend) for _ in range(40)))
    assert {text for text, _ in answers} == {"word " * 3}
    assert endpoint.connections <= 4
    await pool.close()
