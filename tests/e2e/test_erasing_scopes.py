"""All of a conversation, a workspace or a person is erased: nothing of it is found anywhere."""

import asyncio
import uuid
from contextlib import aclosing
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from antiphon.memory.v1.entity_pb2 import EntityType
from antiphon.memory.v1.memory_pb2 import MemorySource
from antiphon.memory.v1.pruning_service_pb2 import PruningRule
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.canaries import answers_with, files_with, followed, rows_with
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres

DAY = Duration(seconds=86_400)


def canary() -> str:
    """A word that nobody else says."""
    return f"canary{uuid.uuid4().hex[:12]}"


async def answered(client: Client, conversation_id: str, text: str) -> None:
    """Have it echoed."""
    sent = await client.dispatch(conversation_id, text, handler="echo")
    follow = client.follow(f"conversations/{conversation_id}", cursor=sent.cursor)
    async with aclosing(aiter(follow)) as events:
        async for event in events:
            if event.HasField("turn_finished"):
                return


async def refused(call: object) -> str:
    """For which reason it is."""
    with pytest.raises(AntiphonError) as error:
        await call  # type: ignore[misc]
    return error.value.reason


async def filled(client: Client, word: str, workspace_id: str = "") -> str:
    """A conversation that has it wherever one can have it."""
    made = await client.create_conversation(
        f"all about {word}", labels={"about": word}, workspace_id=workspace_id
    )
    here = made.conversation_id
    await client.update_conversation(here, title=f"still {word}")
    said = [await client.post_message(here, f"{n} {word}", in_context=True) for n in range(3)]
    await answered(client, here, f"and {word}")
    await client.write_section(here, f"of {word}", f"there is {word}")
    source = MemorySource(conversation_id=here, message_id=said[0].message_id)
    await client.put_memory(f"it is {word}", sources=[source])
    await client.put_memory(f"here is {word}", f"conversations/{here}")
    await client.search_messages(word)
    return here


async def gone(server: ServerProcess, url: str, client: Client, here: str, word: str) -> None:
    """Hold that the word is nowhere, and offsets have no gap."""
    await followed(client, here)
    assert await answers_with(client, here, word) == []
    own = client.list_memories(f"conversations/{here}")
    assert not any([word in str(it) async for it in own])
    assert await rows_with(server.data_dir, word, url) == []
    assert files_with(server.data_dir, word) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_conversation_is_a_tombstone(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Nothing of it is left, nobody writes there, and others stay as they are."""
    word, url, variables = canary(), "", {}
    if kind == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = variables["ANTIPHON_DATABASE_URL"] = await postgres.database()
    async with ServerProcess(tmp_path, variables=variables) as server, server.client() as client:
        here, other = await filled(client, word), await filled(client, "harmless")
        done = await client.erasure_done(client.erase_conversation, here)
        assert done.erased_messages == 5
        await gone(server, url, client, here, word)
        assert (await client.get_conversation(here)).title == ""
        reasons = {
            await refused(client.post_message(here, "more")),
            await refused(client.dispatch(here, "more", handler="echo")),
            await refused(client.write_section(here, "a", "more")),
            await refused(client.put_memory("more", f"conversations/{here}")),
            await refused(client.unarchive_conversation(here)),
        }
        assert reasons == {"CONVERSATION_ERASED"}
        again = await client.erase_conversation(here)
        assert again == done
        assert (await client.get_conversation(other)).title == "still harmless"
        found = await answers_with(client, other, "harmless")
        assert {"ReadEvents", "SearchMessages", "GetWhiteboard"} <= set(found)
        assert server.defects == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_workspace_is_a_tombstone(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Nothing of it is left, nothing is begun or remembered there, and its members stay."""
    word, url, variables = canary(), "", {}
    if kind == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = variables["ANTIPHON_DATABASE_URL"] = await postgres.database()
    async with ServerProcess(tmp_path, variables=variables) as server, server.client() as client:
        lab = (await client.create_workspace(f"all about {word}")).workspace_id
        name = f"anna{uuid.uuid4().hex[:8]}"
        user_id = (await client.create_user(name, PASSWORD)).user_id
        await client.add_member(lab, user_id, "member")
        await client.rename_workspace(lab, f"still {word}")
        here, there = await filled(client, word, lab), await filled(client, word, lab)
        other = await filled(client, "harmless")
        await client.put_memory(f"we have {word}", f"workspaces/{lab}")
        async with Client.connect(server.address, Password(name, PASSWORD)) as anna:
            await anna.update_profile(lab, call_name=word)
            assert await refused(anna.erase_workspace(lab)) == "PERMISSION_DENIED"
            done = await client.erasure_done(client.erase_workspace, lab)
            assert (done.erased_messages, done.left_conversations) == (10, 0)
            assert (await anna.get_profile(lab)).profile.call_name == ""
        for it in (here, there):
            await gone(server, url, client, it, word)
        assert await rows_with(server.data_dir, word, url) == []
        scope = f"workspaces/{lab}"
        reasons = {
            await refused(client.put_memory("more", scope)),
            await refused(client.create_entity("More", EntityType.ENTITY_TYPE_OTHER, scope=scope)),
            await refused(client.set_retention(PruningRule(superseded_for=DAY), scope)),
            await refused(client.create_conversation("more", workspace_id=lab)),
            await refused(client.rename_workspace(lab, "more")),
        }
        assert reasons == {"WORKSPACE_ERASED"}
        assert await client.erase_workspace(lab) == done
        own = (await client.get_conversation(other)).workspace_id
        assert await refused(client.erase_workspace(own)) == "WORKSPACE_PERSONAL"
        assert (await client.get_conversation(other)).title == "still harmless"
        assert server.defects == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_nothing_is_begun_beside_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """People begin conversations until they are refused: all that they have said is gone."""
    word, url, variables = canary(), "", {}
    if kind == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = variables["ANTIPHON_DATABASE_URL"] = await postgres.database()
    async with ServerProcess(tmp_path, variables=variables) as server, server.client() as client:
        lab = (await client.create_workspace(word)).workspace_id
        made, many = list[str](), asyncio.Event()

        async def talk() -> str:
            try:
                while True:
                    it = await client.create_conversation(f"of {word}", workspace_id=lab)
                    made.append(it.conversation_id)
                    if len(made) == 24:
                        many.set()
                    await client.post_message(it.conversation_id, word, in_context=True)
            except AntiphonError as error:
                return error.reason

        talking = [asyncio.create_task(talk()) for _ in range(8)]
        await many.wait()
        done = await client.erasure_done(client.erase_workspace, lab)
        reasons = set(await asyncio.gather(*talking))
        assert reasons <= {"WORKSPACE_ERASED", "CONVERSATION_ERASED"}
        assert "WORKSPACE_ERASED" in reasons
        assert done.erased_messages >= 16
        assert await rows_with(server.data_dir, word, url) == []
        assert files_with(server.data_dir, word) == []
        assert server.defects == []


async def test_all_of_a_person_goes(tmp_path: Path) -> None:
    """What they have said anywhere, and what is known of them; others' words stay."""
    word, name = canary(), f"anna{uuid.uuid4().hex[:8]}"
    async with ServerProcess(tmp_path) as server, server.client() as client:
        here = (await client.create_conversation()).conversation_id
        kept = await client.post_message(here, "by the owner", in_context=True)
        user_id = (await client.create_user(name, PASSWORD)).user_id
        await client.add_member(here, user_id, "member")
        own = ""
        async with Client.connect(server.address, Password(name, PASSWORD)) as anna:
            await anna.post_message(here, f"it is {word}", in_context=True)
            own = await filled(anna, word)
            about = f"conversations/{here}"
            subject = f"users/{user_id}"
            await anna.put_memory(f"she likes {word}", about, subject=subject)
            there = (await anna.get_conversation(own)).workspace_id
            await anna.update_profile(call_name=word)
            await anna.update_profile(there, preferences=[f"much {word}"])
            assert await refused(anna.erase_person("user_00000000nobody")) == "PERMISSION_DENIED"
            exported = [str(it) async for it in anna.export_person(user_id)]
            assert sum(word in it for it in exported) >= 8
            assert [word in it for it in exported[:2]] == [True, True]
            assert [there in it for it in exported[:2]] == [False, True]
            done = await anna.erasure_done(anna.erase_person, user_id)
            assert done.erased_messages >= 6
            said = [it async for it in anna.list_messages(own)]
            assert all(it.erased for it in said)
            assert not any([word in str(it) async for it in anna.list_memories()])
            for place in ("", there):
                assert word not in str(await anna.get_profile(place))
        left = {it.message_id: it.erased async for it in client.list_messages(here)}
        assert not left.pop(kept.message_id)
        assert list(left.values()) == [True]
        assert not any([word in str(it) async for it in client.list_memories(about)])
        assert server.defects == []


async def test_it_waits_for_turns_that_run(tmp_path: Path) -> None:
    """Which turn, it says; once that has ended it goes on."""
    async with ServerProcess(tmp_path) as server, server.client() as client:
        here = (await client.create_conversation()).conversation_id
        sent = await client.dispatch(here, "one word " * 400, handler="echo")
        progress = await client.erase_conversation(here)
        while not progress.waiting_turn_id:
            await asyncio.sleep(0.2)
            progress = await client.erase_conversation(here)
        assert progress.waiting_turn_id == sent.turn.turn_id
        await client.cancel_turn(here, sent.turn.turn_id)
        done = await client.erasure_done(client.erase_conversation, here)
        assert not done.waiting_turn_id
        assert all([it.erased async for it in client.list_messages(here)])
