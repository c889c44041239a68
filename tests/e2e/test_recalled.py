"""What was said long ago reaches a model when it matters, and people can see that it did."""

from typing import Any

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon_client import AntiphonError, Client
from antiphon_server.runtime.errors import Reason
from tests.e2e.callers import PASSWORD
from tests.e2e.until import until_it
from tests.fakes.openai_endpoint import FakeEndpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "The spare key of the boathouse hangs behind the blue barrel."
ASIDE = "Between us: the spare key was copied by the neighbour."
QUESTION = "Where is the spare key of the boathouse?"


async def long_conversation(client: Client) -> str:
    """One whose beginning no prompt of 3,000 tokens holds any more."""
    conversation = (await client.create_conversation()).conversation_id
    await client.post_message(conversation, SECRET, in_context=True)
    await client.post_message(conversation, ASIDE)
    for number in range(30):
        text = f"Log entry {number}: " + "calm sea and a light breeze from the west. " * 20
        await client.post_message(conversation, text, in_context=True)
    return conversation


async def ask(client: Client, conversation: str, text: str) -> str:
    """The id of a turn that has ended."""
    async with client.converse(conversation) as talk:
        turn = await talk.post(text, models=["fake/ok"])
        assert (await turn.result()).succeeded
        return turn.turn_id


def last_prompt(endpoint: FakeEndpoint) -> list[Any]:
    """The contents of the messages that the model was asked with last."""
    return [message["content"] for message in endpoint.seen[-1].body["messages"]]


async def explained(client: Client, conversation: str, turn: str) -> Any:
    """What is told of a turn's context; it is kept behind the turn's back."""

    async def known() -> bool:
        try:
            await client.explain_context(conversation, turn)
        except AntiphonError as error:
            return error.reason != Reason.NOT_FOUND.value
        return True

    await until_it(known)
    return await client.explain_context(conversation, turn)


async def test_what_matters_is_recalled(client: Client, endpoint: FakeEndpoint) -> None:
    """It stands quoted in front of the question; what is an aside does not, and it is explained."""
    conversation = await long_conversation(client)
    turn = await ask(client, conversation, QUESTION)
    prompt = last_prompt(endpoint)
    assert not any(SECRET in it for it in prompt[:-2]), "no room for it"
    assert "> the user, " in prompt[-2]
    assert SECRET in prompt[-2]
    assert prompt[-1] == QUESTION
    assert not any("neighbour" in it for it in prompt)
    found = await explained(client, conversation, turn)
    assert [it.text for it in found.items if it.text == SECRET] == [SECRET]
    assert all(it.reason and it.tokens for it in found.items)
    beside = -(-len(prompt[-2].encode()) // 4)
    assert found.newest.omitted_messages
    assert found.newest.tokens + beside <= found.max_tokens
    stored = await client.get_turn(conversation, turn)
    without = stored.omitted_messages - found.newest.omitted_messages  # as the model counts
    assert found.newest.count - without == len(prompt) - 1


async def test_nothing_is_recalled_where_all_is_shown(
    client: Client, endpoint: FakeEndpoint
) -> None:
    """A short conversation stands in the prompt as it was said, and once."""
    conversation = (await client.create_conversation()).conversation_id
    await client.post_message(conversation, SECRET, in_context=True)
    turn = await ask(client, conversation, QUESTION)
    assert last_prompt(endpoint) == [SECRET, QUESTION] or len(last_prompt(endpoint)) == 1
    assert sum(SECRET in it for it in last_prompt(endpoint)) == 1
    found = await explained(client, conversation, turn)
    assert (list(found.items), found.newest.omitted_messages) == ([], 0)
    assert found.newest.count == 2


async def test_what_is_assembled_keeps_to_its_budget(client: Client) -> None:
    """Whatever the budget, the newest messages and what is recalled fit into it together."""
    conversation = await long_conversation(client)
    for budget in (800, 1000, 2000, 5000):
        found = await client.assemble_context(conversation, QUESTION, max_tokens=budget)
        assert found.context.estimated_tokens + found.estimated_tokens <= budget
        assert (SECRET in found.recalled) == bool(found.context.omitted_messages)


async def test_nothing_is_known_of_turns_of_elsewhere(client: Client) -> None:
    """A turn is explained in its own conversation alone."""
    mine = (await client.create_conversation()).conversation_id
    other = (await client.create_conversation()).conversation_id
    turn = await ask(client, mine, "Hello")
    await explained(client, mine, turn)
    with pytest.raises(AntiphonError) as caught:
        await client.explain_context(other, turn)
    assert caught.value.reason == Reason.NOT_FOUND.value


async def test_memory_is_told_to_a_model_where_all_readers_may_know_it(
    client: Client, endpoint: FakeEndpoint
) -> None:
    """One's own where one is alone, and in no conversation that somebody else reads."""
    other = (await client.create_user("reader", PASSWORD)).user_id
    alone = (await client.create_conversation()).conversation_id
    read = (await client.create_conversation()).conversation_id
    await client.add_member(read, other, ROLE_VIEWER)
    kept = await client.put_memory(SECRET)
    told_turn = await ask(client, alone, QUESTION)
    told = last_prompt(endpoint)[-2]
    assert f": {SECRET}" in told
    assert told.splitlines()[1].startswith("> fact, ")
    (item,) = (await explained(client, alone, told_turn)).items
    assert (item.memory.memory_id, item.text) == (kept.memory_id, SECRET)
    turn = await ask(client, read, QUESTION)
    assert last_prompt(endpoint) == [QUESTION]
    (left_out,) = (await explained(client, read, turn)).left_out
    assert "own memories" in left_out.reason
    await client.forget_memory(kept.memory_id)
    (item,) = (await client.explain_context(alone, told_turn)).items
    assert (item.memory.memory_id, item.text) == (kept.memory_id, "")
