"""What a provider says of its failure is for operators: in the ledger and the log, nowhere else."""

import asyncio
from typing import Any

import pytest

from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon_server.integration import encoding
from antiphon_server.integration.ledger.model import Money
from antiphon_server.integration.ledger.usage import UsagePage
from antiphon_server.integration.models.adapters.failures import LONGEST_WORDS, words_of
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import status_of
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Behaviour
from tests.integration.world import Recorder, World, on_wire, order

SAID = "canary-4711: key [key] is wrong"


@pytest.mark.parametrize(
    ("mode", "reason", "status", "words"),
    [
        ("401", Reason.MODEL_REFUSED, 401, SAID),
        ("429", Reason.MODEL_UNAVAILABLE, 429, SAID),
        ("503", Reason.MODEL_UNAVAILABLE, 503, SAID),
        ("too_long", Reason.MODEL_PROMPT_TOO_LONG, 400, SAID),
        ("fault", Reason.MODEL_UNAVAILABLE, 0, "canary-4711"),
        ("garbage", Reason.MODEL_PROTOCOL, 0, ""),
    ],
)
async def test_it_is_in_the_ledger_and_in_no_error(
    world: World, mode: str, reason: Reason, status: int, words: str
) -> None:
    """The key is in neither."""
    world.endpoint.behaviour = Behaviour(mode)
    with pytest.raises(DomainError) as caught:
        await world.generator().run(order(), Recorder())
    assert caught.value.reason is reason
    assert "canary" not in str(status_of(caught.value)) + str(caught.value)
    settled = (await world.calls())[0].settlement
    assert (settled.provider_status, settled.provider_message) == (status, words)


@pytest.mark.parametrize("to_operator", [True, False])
async def test_operators_alone_are_told(world: World, to_operator: bool) -> None:
    """Whoever else may read the usage sees what it cost."""
    world.endpoint.behaviour = Behaviour("401")
    with pytest.raises(DomainError):
        await world.generator().run(order(), Recorder())
    (call,) = await world.calls()
    page = UsagePage(call.settlement.usage, [call], "")
    told: pb.GetUsageResponse = encoding.usage_response(page, to_operator=to_operator)
    assert ("canary" in str(told)) is to_operator
    assert (told.calls[0].provider_status == 401) is to_operator
    assert told.calls[0].error_reason == "MODEL_REFUSED"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "No\\n such\\u001b[31m model"}}', "No such [31m model"),
        ('{"error": "overloaded"}', "overloaded"),
        ('{"message": "slow down", "code": 7}', "slow down"),
        ('{"detail": "odd"}', '{"detail": "odd"}'),
        ("<html>gateway</html>", "<html>gateway</html>"),
        ("x" * 9_000, "x" * LONGEST_WORDS),
        ("", ""),
    ],
)
def test_words_are_one_line_and_bounded(body: str, words: str) -> None:
    """Whatever a provider sends."""
    assert words_of(on_wire("http://x"), body) == words


async def test_a_lost_call_of_a_free_model_costs_nothing(world: World) -> None:
    """Also the first one, before anybody has looked up a price."""
    slow: dict[str, Any] = {"name": "scripted/count", "kind": "scripted", "script": {"gap_ms": 9e5}}
    generator = world.generator(configured(slow, ModelSettings))
    running = asyncio.create_task(generator.run(order(), recorder := Recorder()))
    await until(lambda: bool(recorder.steps))
    assert await world.ledger.abandon("me") == 1
    (call,) = await world.calls()
    assert call.settlement.usage.cost == Money("USD", 0)
    running.cancel()
    await asyncio.wait([running])
