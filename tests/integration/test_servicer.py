"""The contract, over a local channel and over a socket."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import pytest

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1 import model_pb2
from antiphon.integration.v1.integration_service_pb2_grpc import (
    IntegrationServiceStub,
    add_IntegrationServiceServicer_to_server,
)
from antiphon_server.integration.compose.integration import compose_integration
from antiphon_server.integration.compose.service import Integration
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.models.generation import Patience
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.e2e.refusals import reason_of
from tests.fakes.databases import opened_sqlite
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.world import on_wire
from tests.runtime.events_service import on_a_port

if TYPE_CHECKING:
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

Stub: TypeAlias = "IntegrationServiceAsyncStub"

WORKSPACE = "ws_00000001"
PICTURE = message_pb2.Reference(uri="https://x/y.png", media_type="image/png")


@pytest.fixture
async def integration(endpoint: FakeEndpoint) -> AsyncIterator[Integration]:
    models = [
        model_named("scripted/echo"),
        on_wire(endpoint.base_url),
        on_wire(
            endpoint.base_url, "openai/unpriced", input_price_micros=None, output_price_micros=None
        ),
        configured(
            {"name": "scripted/count", "kind": "scripted", "script": {"deltas": 3}}, ModelSettings
        ),
    ]
    patience = Patience(first_wait_s=0.001)
    nobody: Any = None  # nobody calls as a user here
    async with opened_sqlite(metadata) as database:
        integration = compose_integration(
            database, models, nobody, nobody, nobody, patience=patience
        )
        await integration.settle()
        yield integration
        await integration.close()


@pytest.fixture(params=["local", "socket"])
async def stub(request: pytest.FixtureRequest, integration: Integration) -> AsyncIterator[Stub]:
    """A client of the service on each kind of channel."""
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    add_IntegrationServiceServicer_to_server(integration.servicer, table)
    if request.param == "local":
        yield IntegrationServiceStub(table.channel())
        return
    async with on_a_port(table) as channel:
        yield IntegrationServiceStub(channel)


def asks(**part: Any) -> list[pb.PromptMessage]:
    parts = [message_pb2.Part(**part)]
    return [pb.PromptMessage(role=message_pb2.MESSAGE_ROLE_USER, parts=parts)]


def ask(*models: str, text: str = "a b c", **fields: Any) -> pb.GenerateRequest:
    return pb.GenerateRequest(
        workspace_id=WORKSPACE,
        turn_id="turn_00000001",
        models=models,
        messages=asks(text=text),
        **fields,
    )


async def refusal(call: AsyncIterable[Any]) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of a stream's end, which tells nothing that a provider said."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in call:
            pass
    assert "canary" not in str(raised.value)
    assert "secret" not in str(raised.value)
    return raised.value.code(), reason_of(raised.value)


async def said(call: AsyncIterable[pb.GenerateResponse]) -> list[pb.GenerateResponse]:
    """All steps."""
    return [step async for step in call]


async def test_a_model_tells_how_it_is(stub: Stub, endpoint: FakeEndpoint) -> None:
    """What it takes, whether it is asked and since when, and how it failed last."""
    name = "openai/small"

    async def listed() -> model_pb2.Model:
        models = (await stub.ListModels(pb.ListModelsRequest())).models
        return next(it for it in models if it.name == name)

    model = await listed()
    assert (model.breaker, model.takes_tools) == (model_pb2.BREAKER_STATE_CLOSED, True)
    assert list(model.accepts) == [message_pb2.PART_KIND_TEXT]
    assert not model.HasField("last_failure")
    endpoint.behaviour = Behaviour("503")
    for _ in range(3):
        await refusal(stub.Generate(ask(name)))
    after = await listed()
    assert after.breaker == model_pb2.BREAKER_STATE_OPEN
    assert 25 < after.retry_after.ToTimedelta().total_seconds() <= 30
    assert after.breaker_since_time.ToNanoseconds() > model.breaker_since_time.ToNanoseconds()
    assert after.last_failure.error_reason == "MODEL_UNAVAILABLE"
    assert after.last_failure.time.ToNanoseconds() <= after.breaker_since_time.ToNanoseconds()
    assert (after.last_failure.provider_status, after.last_failure.provider_message) == (0, "")


async def test_an_operator_opens_and_closes(stub: Stub, endpoint: FakeEndpoint) -> None:
    """As often as they like; while it is open nobody is asked."""
    wanted = {"model": "openai/small"}
    opened = pb.SetModelBreakerRequest(**wanted, breaker=model_pb2.BREAKER_STATE_OPEN)
    closed = pb.SetModelBreakerRequest(**wanted, breaker=model_pb2.BREAKER_STATE_CLOSED)
    for _ in range(2):
        model = (await stub.SetModelBreaker(opened)).model
        assert (model.breaker, model.breaker_by_hand) == (model_pb2.BREAKER_STATE_OPEN, True)
        assert not model.HasField("retry_after")
    assert await refusal(stub.Generate(ask("openai/small"))) == (
        grpc.StatusCode.UNAVAILABLE,
        "MODEL_UNAVAILABLE",
    )
    assert not endpoint.seen
    for _ in range(2):
        model = (await stub.SetModelBreaker(closed)).model
        assert (model.breaker, model.breaker_by_hand) == (model_pb2.BREAKER_STATE_CLOSED, False)
    await said(stub.Generate(ask("openai/small")))


@pytest.mark.parametrize("state", [0, 3, 4])
async def test_nobody_sets_it_half_open(stub: Stub, state: int) -> None:
    """It is open, or closed; of a model that there is."""
    request = pb.SetModelBreakerRequest(model="openai/small")
    request.breaker = model_pb2.BreakerState.ValueType(state)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.SetModelBreaker(request)
    assert reason_of(raised.value) == "INVALID_ARGUMENT"
    request = pb.SetModelBreakerRequest(model="no/model", breaker=model_pb2.BREAKER_STATE_OPEN)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.SetModelBreaker(request)
    assert reason_of(raised.value) == "MODEL_NOT_FOUND"


async def test_models_are_listed_with_the_default_first(stub: Stub) -> None:
    """In pages."""
    first = await stub.ListModels(pb.ListModelsRequest(page_size=3))
    rest = await stub.ListModels(pb.ListModelsRequest(page_token=first.next_page_token))
    models = [*first.models, *rest.models]
    assert [(model.name, model.default) for model in models] == [
        ("scripted/echo", True),
        ("openai/small", False),
        ("openai/unpriced", False),
        ("scripted/count", False),
    ]
    assert models[1].input_price == model_pb2.Money(currency="USD", micros=10_000_000_000)
    assert not models[2].HasField("input_price")
    assert rest.next_page_token == ""


async def test_an_answer_is_streamed(stub: Stub) -> None:
    """The attempt, the texts, the end."""
    steps = await said(stub.Generate(ask()))
    assert [step.WhichOneof("step") for step in steps] == [
        "attempt",
        *["delta"] * 3,
        "finished",
    ]
    assert "".join(step.delta.text for step in steps) == "a b c"
    assert steps[-1].finished.finish_reason == model_pb2.FINISH_REASON_STOP
    assert steps[-1].finished.model == "scripted/echo"
    assert steps[-1].finished.usage.output_tokens == 3


async def test_an_empty_prompt_is_not_paid_for(
    integration: Integration, endpoint: FakeEndpoint
) -> None:
    """Callers inside are not validated: no model is asked, whatever else the request has."""
    table = LocalServer([ErrorInterceptor()])
    add_IntegrationServiceServicer_to_server(integration.servicer, table)
    stub: Stub = IntegrationServiceStub(table.channel())
    empty = pb.GenerateRequest(workspace_id=WORKSPACE, models=["openai/small"], instructions="Go")
    assert (await refusal(stub.Generate(empty)))[1] == "INVALID_ARGUMENT"
    assert endpoint.connections == 0


async def test_instructions_come_before_the_messages(stub: Stub, endpoint: FakeEndpoint) -> None:
    """As a message of the system, and limits are passed on."""
    request = ask("openai/small", instructions="Be brief.", max_output_tokens=9, temperature=0.0)
    await said(stub.Generate(request))
    body = endpoint.seen[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a b c"},
    ]
    assert (body["max_tokens"], body["temperature"]) == (9, 0.0)


async def test_usage_is_told_by_turn_and_in_pages(stub: Stub, endpoint: FakeEndpoint) -> None:
    """Failed attempts too; the total is that of the whole range."""
    endpoint.plan.append(Behaviour("500"))
    await said(stub.Generate(ask("openai/small")))
    await said(stub.Generate(ask("scripted/count")))
    request = pb.GetUsageRequest(workspace_id=WORKSPACE, turn_id="turn_00000001", page_size=2)
    page = await stub.GetUsage(request)
    request.page_token = page.next_page_token
    rest = await stub.GetUsage(request)
    calls = [*page.calls, *rest.calls]
    assert [(call.model, call.outcome, call.error_reason) for call in calls] == [
        ("scripted/count", model_pb2.ATTEMPT_OUTCOME_SUCCEEDED, ""),
        ("openai/small", model_pb2.ATTEMPT_OUTCOME_SUCCEEDED, ""),
        ("openai/small", model_pb2.ATTEMPT_OUTCOME_FAILED, "MODEL_UNAVAILABLE"),
    ]
    assert {call.kind for call in calls} == {model_pb2.CALL_KIND_MODEL}
    assert rest.total == page.total
    assert (page.total.input_tokens, page.total.output_tokens) == (11 + 6, 20 + 3)
    assert page.total.cost == model_pb2.Money(currency="USD", micros=310_000)
    other = await stub.GetUsage(pb.GetUsageRequest(workspace_id="ws_00000002"))
    assert not other.calls


async def test_usage_of_a_time_range(stub: Stub) -> None:
    """From the start, to before the end."""
    await said(stub.Generate(ask()))
    (call,) = (await stub.GetUsage(pb.GetUsageRequest(workspace_id=WORKSPACE))).calls
    at = call.start_time
    found = [
        len((await stub.GetUsage(request)).calls)
        for request in (
            pb.GetUsageRequest(workspace_id=WORKSPACE, start_time=at),
            pb.GetUsageRequest(workspace_id=WORKSPACE, end_time=at),
        )
    ]
    assert found == [1, 0]


async def test_a_price_that_is_unknown_is_unset(stub: Stub) -> None:
    """Rather than nothing."""
    steps = await said(stub.Generate(ask("openai/unpriced")))
    assert not steps[-1].finished.usage.HasField("cost")


async def test_tokens_are_estimated(stub: Stub) -> None:
    """By letters and words, plus four a message, where nobody has the model's tokenizer."""
    counted = await stub.CountTokens(pb.CountTokensRequest(messages=asks(text="äöü12")))
    assert 4 < counted.tokens <= 4 + len("äöü12".encode())
    assert not counted.exact


async def test_cancelling_the_call_closes_the_providers_connection(
    stub: Stub, endpoint: FakeEndpoint
) -> None:
    """And the ledger says so."""
    endpoint.behaviour = Behaviour(deltas=1000, gap_ms=5)
    call = stub.Generate(ask("openai/small"))
    async for step in call:
        if step.HasField("delta"):
            break
    call.cancel()
    await endpoint.wait_aborted()
    for _ in range(100):  # the settlement follows the abort
        if calls := (await stub.GetUsage(USAGE)).calls:
            break
        await asyncio.sleep(0.01)
    assert calls[0].outcome == model_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert calls[0].usage.estimated


async def test_a_deadline_stops_the_provider_too(stub: Stub, endpoint: FakeEndpoint) -> None:
    """The caller gets DEADLINE_EXCEEDED."""
    endpoint.behaviour = Behaviour("hang")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await said(stub.Generate(ask("openai/small"), timeout=1))
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await endpoint.wait_aborted()


USAGE = pb.GetUsageRequest(workspace_id=WORKSPACE)


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        (ask("x/y"), grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
        (
            pb.GenerateRequest(workspace_id="x"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
        ),
    ],
)
async def test_requests_that_cannot_be_met_are_refused(
    stub: Stub, request_: pb.GenerateRequest, code: grpc.StatusCode, reason: str
) -> None:
    """Before any step."""
    assert await refusal(stub.Generate(request_)) == (code, reason)


@pytest.mark.parametrize(
    ("mode", "code", "reason"),
    [
        ("500", grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE"),
        ("401", grpc.StatusCode.FAILED_PRECONDITION, "MODEL_REFUSED"),
        ("cut", grpc.StatusCode.UNAVAILABLE, "MODEL_PROTOCOL"),
        ("garbage", grpc.StatusCode.UNAVAILABLE, "MODEL_PROTOCOL"),
    ],
)
async def test_a_models_failure_is_a_typed_error(
    stub: Stub, endpoint: FakeEndpoint, mode: str, code: grpc.StatusCode, reason: str
) -> None:
    """With nothing that the provider said."""
    endpoint.behaviour = Behaviour(mode, deltas=4)
    assert await refusal(stub.Generate(ask("openai/small"))) == (code, reason)


async def test_calls_of_a_process_that_died_are_unknown_after_the_next_start(
    stub: Stub, integration: Integration, endpoint: FakeEndpoint
) -> None:
    """As if the server had been killed in the middle."""
    endpoint.behaviour = Behaviour("hang")
    call = stub.Generate(ask("openai/small"))
    await call.read()
    await endpoint.wait_seen(1)
    await integration.settle()
    (entry,) = (await stub.GetUsage(USAGE)).calls
    assert entry.outcome == model_pb2.ATTEMPT_OUTCOME_UNKNOWN
    assert entry.usage.estimated
    call.cancel()
