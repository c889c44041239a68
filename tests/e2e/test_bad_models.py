"""Models that hang, lie, break off or do not exist: the turn ends, and keeps what was delivered."""

import asyncio

import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon_client import Client, TurnResult
from antiphon_server.cli.chat.summary import summary
from tests.e2e.refusals import reason_in
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.history import History, state_name
from tests.proofs.robustness.traffic import caught_up, follow, read_state
from tests.proofs.robustness.validators import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
# How the endpoint misbehaves, the reason of the turn's end, and whether text came before.
MISBEHAVIOURS = [
    ("hang", "MODEL_TIMEOUT", False),
    ("silent", "MODEL_TIMEOUT", True),
    ("cut", "MODEL_PROTOCOL", True),
    ("no_end", "MODEL_PROTOCOL", True),
    ("garbage", "MODEL_PROTOCOL", True),
    ("flood", "MODEL_PROTOCOL", True),
    ("fault", "MODEL_UNAVAILABLE", True),
    ("400", "MODEL_REFUSED", False),
    ("401", "MODEL_REFUSED", False),
    ("403", "MODEL_REFUSED", False),
    ("404", "MODEL_REFUSED", False),
    ("too_long", "MODEL_PROMPT_TOO_LONG", False),
    ("429", "MODEL_UNAVAILABLE", False),
    ("500", "MODEL_UNAVAILABLE", False),
    ("503", "MODEL_UNAVAILABLE", False),
]


async def ask(client: Client, history: History, *models: str) -> TurnResult:
    """Ask these models in a new conversation; what is stored must be what was delivered."""
    conversation = (await client.create_conversation()).conversation_id
    reader = history.reader("follower")
    following = asyncio.create_task(follow(client, conversation, reader))
    async with client.converse(conversation) as talk, asyncio.timeout(30):
        turn = await talk.post("What is the capital of France?", models=models)
        history.accepted_turns.append(turn.turn_id)
        result = await turn.result()
    await caught_up(client, conversation, [reader])
    following.cancel()
    await asyncio.wait([following])
    reader.told[turn.turn_id] = result.text
    await read_state(client, conversation, history)
    stored = await client.get_turn(conversation, turn.turn_id)
    assert stored.finish_reason == result.finish_reason
    if stored.HasField("error"):
        assert result.error is not None
        assert reason_in(stored.error) == result.error.reason
    return result


@pytest.mark.parametrize(("mode", "reason", "speaks"), MISBEHAVIOURS)
async def test_a_model_that_misbehaves(
    client: Client, mode: str, reason: str, speaks: bool
) -> None:
    """The turn FAILED with a typed reason that tells no secrets; its text is what came before."""
    history = History()
    result = await ask(client, history, f"fake/{mode}")
    assert state_name(result.state) == "FAILED"
    assert result.error is not None
    assert result.error.reason == reason
    assert result.error.metadata["model"] == f"fake/{mode}"
    assert bool(result.text) == speaks
    assert result.truncated == speaks
    assert violations(history) == []


async def test_a_model_that_drips(client: Client) -> None:
    """An answer that comes byte by byte is complete all the same."""
    history = History()
    result = await ask(client, history, "fake/drip")
    assert result.succeeded
    assert result.text == "word " * 20
    assert violations(history) == []


async def test_an_answer_that_is_cut_at_the_models_limit(client: Client) -> None:
    """The turn SUCCEEDED, and its end, stored and told, says that the limit was reached."""
    history = History()
    result = await ask(client, history, "fake/length")
    assert (result.succeeded, result.cut) == (True, True)
    says = "cut off at the model's limit (20 tokens): /continue goes on · "
    assert summary(result, 1.0).startswith(says)
    assert violations(history) == []
    assert not (await ask(client, History(), "fake/ok")).cut


async def test_a_model_that_does_not_exist(client: Client) -> None:
    """The turn FAILED with the model's name."""
    history = History()
    result = await ask(client, history, "fake/nobody-knows")
    assert state_name(result.state) == "FAILED"
    assert result.error is not None
    assert result.error.reason == "MODEL_NOT_FOUND"
    assert result.error.metadata == {"model": "fake/nobody-knows"}
    assert violations(history) == []


@pytest.mark.parametrize("mode", ["hang", "400", "401", "500"])
async def test_the_next_model_answers(client: Client, mode: str) -> None:
    """Where the first model says nothing, the next one that was named answers."""
    history = History()
    result = await ask(client, history, f"fake/{mode}", "fake/ok")
    assert (result.succeeded, result.model) == (True, "fake/ok")
    assert violations(history) == []


async def test_no_other_model_goes_on_with_an_answer(client: Client) -> None:
    """Where the first model has spoken, no other one is asked."""
    history = History()
    result = await ask(client, history, "fake/garbage", "fake/ok")
    assert (state_name(result.state), result.truncated) == ("FAILED", True)
    assert violations(history) == []


async def test_a_turn_that_lasts_too_long(client: Client) -> None:
    """The turn ends as EXPIRED at its limit, with the limit in the error."""
    conversation = (await client.create_conversation()).conversation_id
    request = pb.DispatchRequest(conversation_id=conversation, models=["fake/ok"])
    request.parts.add(text="hurry")
    request.time_limit.FromMilliseconds(20)
    metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
    came = await DispatcherServiceStub(client.channel).Dispatch(request, metadata=metadata)
    async with client.converse(conversation, cursor=came.cursor) as talk:
        result = await talk.join(came.turn.turn_id).result()
    assert state_name(result.state) == "EXPIRED"
    assert result.error is not None
    assert (result.error.reason, result.error.metadata) == ("TURN_EXPIRED", {"limit_ms": "20"})


async def test_the_provider_is_told_no_more_than_it_needs(
    client: Client, endpoint: FakeEndpoint
) -> None:
    """The caller's token never reaches a provider."""
    await ask(client, History(), "fake/ok")
    token = await client.tokens.get()
    assert all(token not in str(seen.headers) + str(seen.body) for seen in endpoint.seen)
