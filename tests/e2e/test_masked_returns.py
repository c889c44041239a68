"""A masked turn that people gave back waits for an approval, and its server dies meanwhile."""

from pathlib import Path

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_FLAG,
    FILTER_STAGE_ANSWER,
    Filter,
    TermsFilter,
)
from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED, Event
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ASK
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.test_filters_of_answers import said
from tests.e2e.until import until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

WORD = "forbiddenword"
HAND_OFF, TIME = "antiphon.hand_off", "antiphon.time"
SAID = (
    Behaviour(
        deltas=1,
        text=f"first, {WORD} it is",
        calls=[("antiphon__hand_off", ['{"reason": "it is about money"}'])],
    ),
    Behaviour(
        deltas=1,
        text=f"second, {WORD} again",
        calls=[("antiphon__time", ['{"zone": "Asia/Tokyo"}'])],
    ),
    Behaviour(deltas=1, text=f"third, {WORD} and over"),
)
"""What the model says: then people have the turn, then one shall approve a call, then it ends."""


async def _filtered(client: Client) -> str:
    """A conversation whose answers are masked, and in which a call is to be approved."""
    made = await client.create_conversation(tools=[HAND_OFF, TIME])
    words = Filter(name="words", action=FILTER_ACTION_FLAG, terms=TermsFilter(terms=[WORD]))
    words.stages.append(FILTER_STAGE_ANSWER)
    await client.set_filters(made.workspace_id, [words])
    await client.set_tool_rule(made.workspace_id, TIME, TOOL_RULE_ASK)
    return made.conversation_id


async def _log(client: Client, where: str) -> list[Event]:
    return list((await client.read_events(f"conversations/{where}")).events)


async def _waiting(client: Client, where: str) -> list[Event]:
    """The calls that are to be approved."""
    log = await _log(client, where)
    return [it for it in log if it.HasField("tool_call_proposed") and it.tool_call_proposed.asks]


async def test_the_model_and_readers_are_told_what_it_said_before(tmp_path: Path) -> None:
    """The model all that was shown, mark for mark; readers see a gap where it goes on."""
    async with FakeEndpoint() as endpoint:
        endpoint.plan.extend(SAID)
        server = ServerProcess(tmp_path, models=[openai_model("fake/it", endpoint.base_url)])
        async with all_of([server]):
            async with server.client() as client:
                where = await _filtered(client)
                turn = (await client.dispatch(where, "My money, please")).turn

                async def with_people() -> bool:
                    return (await client.get_turn(where, turn.turn_id)).HasField("handoff")

                await until_it(with_people)
                handed = (await client.get_turn(where, turn.turn_id)).handoff
                await client.return_handoff(where, handed.handoff_id)

                async def waits() -> bool:
                    return bool(await _waiting(client, where))

                await until_it(waits)
            await server.kill()
            await server.start()
            async with server.client() as client:
                (call,) = await _waiting(client, where)
                await client.decide_tool_call(
                    where, turn.turn_id, call.tool_call_proposed, approve=True
                )

                async def ended() -> bool:
                    return (await client.get_turn(where, turn.turn_id)).HasField("end_time")

                await until_it(ended)
                assert (await client.get_turn(where, turn.turn_id)).state == TURN_STATE_SUCCEEDED
                answer = said(await _log(client, where), turn.turn_id)
        assert answer == ("first, [term] it is\n\nsecond, [term] again\n\nthird, [term] and over")
        told = [[it["content"] for it in _assistants(seen.body)] for seen in endpoint.seen]
        assert told == [
            [],
            ["first, [term] it is"],
            ["first, [term] it is", "second, [term] again"],
        ]


def _assistants(body: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    return [it for it in body["messages"] if it["role"] == "assistant"]
