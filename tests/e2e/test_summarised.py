"""What has no room is summarised, reaches a model, and is paid for where a model wrote it."""

from pathlib import Path

from antiphon.memory.v1.summary_pb2 import SUMMARY_ORIGIN_EXTRACT, SUMMARY_ORIGIN_MODEL
from antiphon_client import Client
from tests.e2e.until import until_it
from tests.proofs.summaries.histories import settled, summarising

SAID = "We decided that the Falcon telescope moves to Lisbon on 3 March."
ROOM = {"ANTIPHON_MAX_PROMPT_TOKENS": "2000"}


async def long_conversation(client: Client) -> str:
    """One whose beginning has no room."""
    here = (await client.create_conversation()).conversation_id
    await client.post_message(here, SAID, in_context=True)
    for number in range(60):
        text = f"Entry {number}: calm sea and a light breeze from the west, as ever and ever. " * 3
        await client.post_message(here, text, in_context=True)
    return here


async def ask(client: Client, here: str) -> str:
    """The id of a turn that has ended."""
    async with client.converse(here) as talk:
        turn = await talk.post("Thanks. What else?", models=["fake/ok"])
        assert (await turn.result()).succeeded
        return turn.turn_id


async def test_an_extract_reaches_the_model_and_is_explained(tmp_path: Path) -> None:
    """Though nothing of what is asked has to do with it; people see that it did."""
    async with summarising(tmp_path, by_model=False, variables=ROOM) as (server, endpoint):
        async with server.client() as client:
            here = await long_conversation(client)
            await ask(client, here)
            summaries = await settled(client, here, by_model=False)
            assert {it.origin for it in summaries} == {SUMMARY_ORIGIN_EXTRACT}
            assert SAID in [line.text for line in summaries[0].people]
            assert summaries[0].people[0].author_name
            turn = await ask(client, here)
            asked = str(endpoint.seen[-1].body["messages"])
            assert f"> the user: {SAID}" in asked

            async def known() -> bool:
                found = await client.explain_context(here, turn)
                return any(it.HasField("summary") for it in found.items)

            await until_it(known)
        assert server.defects == []


async def test_a_models_summary_is_booked_on_the_conversation(tmp_path: Path) -> None:
    """In the ledger as any call, of no turn."""
    async with summarising(tmp_path, by_model=True, variables=ROOM) as (server, _):
        async with server.client() as client:
            here = await long_conversation(client)
            await ask(client, here)
            summaries = await settled(client, here, by_model=True)
            assert {(it.origin, it.model) for it in summaries} == {
                (SUMMARY_ORIGIN_MODEL, "fake/writes")
            }
            workspace = (await client.get_conversation(here)).workspace_id
            usage = await client.get_usage(workspace)
            booked = [it for it in usage.calls if it.model == "fake/writes"]
            assert len(booked) == len(summaries)
            assert {(it.conversation_id, it.turn_id) for it in booked} == {(here, "")}
        assert server.defects == []
