"""What people say to a turn beside its message."""

from contextlib import aclosing

from antiphon.events.v1.event_pb2 import Event
from antiphon_client import Client
from tests.e2e.entrances.entrance import Stage, reason_of
from tests.e2e.entrances.tools import ASKING, CALL, DENIED, TOOLS
from tests.e2e.until import until_it
from tests.filters.corpus import LONG, Sample


async def told(stage: Stage, sample: Sample) -> str:
    """As the answer to what a call's tool asks."""
    where, turn_id, event = await _waiting(stage.client, ASKING, "tool_call_question_asked")
    said, asked = {"words": sample.parts[0]}, event.tool_call_question_asked
    return await reason_of(stage.client.answer_tool_call(where, turn_id, asked, content=said))


async def denied(stage: Stage, sample: Sample) -> str:
    """As why a call is denied."""
    where, turn_id, event = await _waiting(stage.client, DENIED, "tool_call_proposed")
    call, why = event.tool_call_proposed, sample.parts[0]
    return await reason_of(
        stage.client.decide_tool_call(where, turn_id, call, approve=False, reason=why)
    )


async def handed_off(stage: Stage, sample: Sample) -> str:
    """As why a turn is handed to people."""
    client = stage.client
    where = (await client.create_conversation()).conversation_id
    turn = (await client.dispatch(where, LONG[:3_000], handler="echo")).turn
    reason = await reason_of(client.hand_off_turn(where, turn.turn_id, sample.parts[0]))
    await client.cancel_turn(where, turn.turn_id)
    return reason


async def answered(stage: Stage, sample: Sample) -> str:
    """As a person's answer to a turn that was handed off."""
    where, handoff_id = await _handed(stage.client)
    return await reason_of(stage.client.answer_handoff(where, handoff_id, sample.parts[0]))


async def returned(stage: Stage, sample: Sample) -> str:
    """As why a turn is given back to a handler."""
    where, handoff_id = await _handed(stage.client)
    return await reason_of(
        stage.client.return_handoff(where, handoff_id, handler="echo", note=sample.parts[0])
    )


async def declined(stage: Stage, sample: Sample) -> str:
    """As why nobody goes on with a turn."""
    where, handoff_id = await _handed(stage.client)
    return await reason_of(stage.client.decline_handoff(where, handoff_id, sample.parts[0]))


async def _handed(client: Client) -> tuple[str, str]:
    """A conversation, and the hand-off that waits in it and is the caller's."""
    where = (await client.create_conversation()).conversation_id
    turn_id = (await client.dispatch(where, "hello", handler="people")).turn.turn_id

    async def waits() -> bool:
        return (await client.get_turn(where, turn_id)).HasField("handoff")

    await until_it(waits)
    handoff_id = (await client.get_turn(where, turn_id)).handoff.handoff_id
    await client.claim_handoff(where, handoff_id)
    return where, handoff_id


async def _waiting(client: Client, tool: str, kind: str) -> tuple[str, str, Event]:
    """A conversation, its turn that calls the tool, and what it waits for."""
    where = (await client.create_conversation(tools=TOOLS)).conversation_id
    turn_id = (await client.dispatch(where, CALL[tool])).turn.turn_id
    async with aclosing(aiter(client.follow(f"conversations/{where}", earliest=True))) as events:
        async for event in events:
            if event.WhichOneof("payload") == kind:
                return where, turn_id, event
    raise AssertionError(kind)
