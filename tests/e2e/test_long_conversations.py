"""What no longer fits into a prompt is left out, and people are told."""

import pytest

from antiphon_client import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = "word " * 2_000


async def test_what_was_left_out_is_counted(client: Client) -> None:
    """The turn says it at its end, in the log and afterwards; one that fitted says nothing."""
    conversation = (await client.create_conversation()).conversation_id
    told = []
    async with client.converse(conversation) as talk:
        for text in (LONG, LONG, "And now?"):
            turn = await talk.post(text, models=["fake/drip"])
            result = await turn.result()
            stored = await client.get_turn(conversation, turn.turn_id)
            assert stored.omitted_messages == result.omitted_messages
            told.append(result.omitted_messages)
    assert told == [0, 1, 1], "the first question does not fit, its answer does"
