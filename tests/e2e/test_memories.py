"""Memories on two servers of one database: who reads them, what is recalled, what is forgotten."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.context.v1.message_pb2 import Message
from antiphon.memory.v1.memory_pb2 import (
    MEMORY_KIND_PREFERENCE,
    MEMORY_ORIGIN_MODEL,
    MEMORY_ORIGIN_PERSON,
    MEMORY_STATE_FORGOTTEN,
    MEMORY_STATE_SUPERSEDED,
    MemorySource,
)
from antiphon.memory.v1.search_service_pb2 import RECALLED_KIND_FACT, RECALLED_KIND_MESSAGE
from antiphon_client import AntiphonError, Client, NotFound, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, signed in at one of the servers."""

    client: Client
    user_id: str

    @property
    def scope(self) -> str:
        """Their own memories'."""
        return f"users/{self.user_id}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Two people at different servers, an operator, and a conversation of the first one's."""

    ann: Person
    bob: Person
    operator: Client
    conversation_id: str

    @property
    def scope(self) -> str:
        """The conversation's memories'."""
        return f"conversations/{self.conversation_id}"

    async def said(self, text: str) -> Message:
        """What Ann has said there."""
        return await self.ann.client.post_message(self.conversation_id, text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    home = tmp_path_factory.mktemp("servers")
    servers = [ServerProcess(home / name, variables=variables) for name in "ab"]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(all_of(servers))
        operator = await stack.enter_async_context(servers[0].client())
        people = []
        for name, server in zip(("ann", "bob"), servers, strict=True):
            user_id = (await operator.create_user(name, PASSWORD)).user_id
            client = Client.connect(server.address, Password(name, PASSWORD))
            people.append(Person(await stack.enter_async_context(client), user_id))
        made = await people[0].client.create_conversation()
        yield Stage(people[0], people[1], operator, made.conversation_id)


async def _recalled(client: Client, query: str, **asked: object) -> list[str]:
    found = await client.recall(query, **asked)  # type: ignore[arg-type]
    return [it.memory.text or it.message.excerpt for it in found.recalled]


async def test_somebodys_own_are_theirs_alone(it: Stage) -> None:
    """Nobody else reads, changes, lists or recalls them, operators neither."""
    ann, text = it.ann, "My cat is called Mirabelle"
    made = await ann.client.put_memory(text)
    assert (made.scope, made.creator) == (ann.scope, ann.scope)
    assert await ann.client.get_memory(made.memory_id, ann.scope) == made
    for other in (it.bob.client, it.operator):
        for scope in ("", ann.scope):
            with pytest.raises(NotFound):
                await other.get_memory(made.memory_id, scope)
        with pytest.raises(NotFound):
            await other.put_memory("Hers", ann.scope)
        with pytest.raises(NotFound):
            await other.forget_memory(made.memory_id)
        with pytest.raises(NotFound):
            [_ async for _ in other.list_memories(ann.scope)]
        assert await _recalled(other, "Mirabelle the cat") == []
        assert await _recalled(other, "Mirabelle", scopes=[ann.scope]) == []
    assert await _recalled(ann.client, "what is the cat called") == [text]


async def test_what_was_put_is_recalled_on_the_other_server_at_once(it: Stage) -> None:
    """So is what was corrected; what was superseded or forgotten is not."""
    here, there = it.ann.client, it.bob.client
    await here.add_member(it.conversation_id, it.bob.user_id, "MEMBER")
    made = await here.put_memory("The launch is in March", it.scope)
    kinds = [RECALLED_KIND_FACT]
    assert await _recalled(there, "when is the launch", kinds=kinds) == [made.text]
    made.text = "The launch is in April"
    made = await here.update_memory(made, "text", only_if_unchanged=True)
    assert await _recalled(there, "when is the launch", kinds=kinds) == [made.text]
    new = await there.put_memory("The launch is in May", it.scope, supersedes=made.memory_id)
    assert await _recalled(here, "when is the launch", kinds=kinds) == [new.text]
    old = await here.get_memory(made.memory_id, it.scope)
    assert (old.state, old.superseded_by) == (MEMORY_STATE_SUPERSEDED, new.memory_id)
    versions = [v.text async for v in here.list_memory_versions(made.memory_id, it.scope)]
    assert versions == ["The launch is in April", "The launch is in March"]
    await here.forget_memory(new.memory_id)
    assert await _recalled(there, "when is the launch", kinds=kinds) == []


async def test_messages_and_memories_are_recalled_together_within_a_budget(it: Stage) -> None:
    said = await it.said("The rehearsal room is behind the bakery in Tübingen")
    source = MemorySource(conversation_id=it.conversation_id, message_id=said.message_id)
    text = "The band rehearses in Tübingen"
    await it.ann.client.put_memory(text, it.scope, sources=[source], origin=MEMORY_ORIGIN_MODEL)
    found = await it.ann.client.recall("rehearsal Tübingen", scopes=[it.scope])
    assert {one.WhichOneof("item") for one in found.recalled} == {"message", "memory"}
    assert found.tokens == sum(one.tokens for one in found.recalled) == 13 + 8
    assert all("matches the words" in one.reason for one in found.recalled)
    few = await it.ann.client.recall("rehearsal Tübingen", scopes=[it.scope], max_tokens=8)
    assert [one.memory.text for one in few.recalled] == [text]
    assert few.left_out == 1
    only = await it.ann.client.recall("Tübingen", kinds=[RECALLED_KIND_MESSAGE])
    assert [one.message.message.message_id for one in only.recalled] == [said.message_id]


async def test_a_source_is_a_message_that_one_may_read(it: Stage) -> None:
    """Its stretch is within the text; what no person says has a source."""
    said = await it.said("Grüße 👋 aus Lyon")
    whole = MemorySource(conversation_id=it.conversation_id, message_id=said.message_id)
    other = await it.bob.client.create_conversation()
    hers = MemorySource(conversation_id=other.conversation_id, message_id=said.message_id)
    beyond = MemorySource(
        conversation_id=it.conversation_id, message_id=said.message_id, start=3, end=17
    )
    unknown = MemorySource(conversation_id=it.conversation_id, message_id="msg_unknown1")
    for source, why in ((hers, "UNREADABLE"), (beyond, "SPAN"), (unknown, "UNREADABLE")):
        with pytest.raises(AntiphonError) as refused:
            await it.ann.client.put_memory("Ann was in Lyon", sources=[source])
        assert refused.value.reason == "MEMORY_SOURCE_INVALID"
        assert refused.value.metadata["why"] == why
    with pytest.raises(AntiphonError) as refused:
        await it.ann.client.put_memory("Ann was in Lyon", origin=MEMORY_ORIGIN_MODEL)
    assert refused.value.reason == "INVALID_ARGUMENT"
    beyond.end = 16
    made = await it.ann.client.put_memory("Ann was in Lyon", sources=[whole, beyond])
    assert made.sources == [whole, beyond]


async def test_a_source_that_may_not_be_read_any_more_is_hidden(it: Stage) -> None:
    theirs = await it.bob.client.create_conversation()
    where = theirs.conversation_id
    await it.bob.client.add_member(where, it.ann.user_id, "MEMBER")
    said = await it.bob.client.post_message(where, "Bob moves to Nantes")
    source = MemorySource(conversation_id=where, message_id=said.message_id)
    made = await it.ann.client.put_memory("Bob moved to Nantes", sources=[source])
    assert made.sources == [source]
    await it.bob.client.remove_member(where, it.ann.user_id)
    hidden = await it.ann.client.get_memory(made.memory_id)
    assert hidden.sources == [MemorySource()]
    (found,) = (await it.ann.client.recall("Nantes", kinds=[RECALLED_KIND_FACT])).recalled
    assert found.memory.sources == [MemorySource()]
    assert await _recalled(it.ann.client, "moves to Nantes", kinds=[RECALLED_KIND_MESSAGE]) == []


async def test_what_was_read_with_a_hidden_source_is_corrected_as_it_was_read(it: Stage) -> None:
    """By one who has left the conversation since; where it comes from stays, and is hidden."""
    theirs = await it.bob.client.create_conversation()
    where = theirs.conversation_id
    await it.bob.client.add_member(where, it.ann.user_id, "MEMBER")
    said = await it.bob.client.post_message(where, "Bob's boat is called Undine")
    source = MemorySource(conversation_id=where, message_id=said.message_id)
    made = await it.ann.client.put_memory("Bob has a boat", sources=[source])
    await it.bob.client.remove_member(where, it.ann.user_id)
    read = await it.ann.client.get_memory(made.memory_id)
    read.text = "Bob has a boat called Undine"
    corrected = await it.ann.client.update_memory(read, "text", only_if_unchanged=True)
    assert corrected.text == read.text
    assert corrected.sources == [MemorySource()]
    await it.bob.client.add_member(where, it.ann.user_id, "MEMBER")
    assert (await it.ann.client.get_memory(made.memory_id)).sources == [source]


async def test_a_source_without_ids_is_none(it: Stage) -> None:
    """Nobody names one that they only know of, in a conversation or in none."""
    for where in ("", it.conversation_id):
        source = MemorySource(conversation_id=where)
        with pytest.raises(AntiphonError) as refused:
            await it.ann.client.put_memory("Ann was in Rouen", sources=[source])
        assert refused.value.reason == "MEMORY_SOURCE_INVALID"


async def test_whom_it_is_about_may_have_it_forgotten(it: Stage) -> None:
    """Where they only read, too; another who only reads may not. The audit trail tells it."""
    theirs = await it.ann.client.create_conversation()
    scope = f"conversations/{theirs.conversation_id}"
    await it.ann.client.add_member(scope.partition("/")[2], it.bob.user_id, "VIEWER")
    about = await it.ann.client.put_memory("Bob snores", scope, subject=it.bob.scope)
    other = await it.ann.client.put_memory("The tent is green", scope)
    with pytest.raises(AntiphonError) as refused:
        await it.bob.client.forget_memory(other.memory_id)
    assert refused.value.reason == "PERMISSION_DENIED"
    exported = [one.memory.memory_id async for one in it.bob.client.export_memories()]
    assert about.memory_id in exported
    assert other.memory_id not in exported
    for _ in range(2):
        left = await it.bob.client.forget_memory(about.memory_id)
        assert (left.state, left.text, left.subject) == (MEMORY_STATE_FORGOTTEN, "", "")
    assert (await it.ann.client.get_memory(about.memory_id, scope)) == left
    told = [
        (event.actor, event.memory_forgotten.memory_id)
        async for event in it.operator.list_security_events()
        if event.HasField("memory_forgotten")
    ]
    assert (it.bob.scope, about.memory_id) in told
    assert told.count((it.bob.scope, about.memory_id)) == 1


async def test_who_is_removed_recalls_nothing_at_once(it: Stage) -> None:
    theirs = await it.ann.client.create_conversation()
    scope = f"conversations/{theirs.conversation_id}"
    await it.ann.client.add_member(theirs.conversation_id, it.bob.user_id, "GUEST")
    await it.ann.client.put_memory(
        "Ann hides the key below the geranium", scope, subject=it.ann.scope
    )
    query = {"query": "geranium", "kinds": [RECALLED_KIND_FACT]}
    assert len(await _recalled(it.bob.client, **query)) == 1  # type: ignore[arg-type]
    await it.ann.client.remove_member(theirs.conversation_id, it.bob.user_id)
    assert await _recalled(it.bob.client, **query) == []  # type: ignore[arg-type]
    exported = [one.memory.text async for one in it.bob.client.export_memories()]
    assert not [text for text in exported if "geranium" in text]


async def test_restatements_are_one_memory(it: Stage) -> None:
    """In other letters and spaces, and by whoever; a person's correction is theirs."""
    said = [await it.said(f"I like tea {number}") for number in range(3)]
    made = [
        await it.ann.client.put_memory(
            text,
            it.scope,
            kind=MEMORY_KIND_PREFERENCE,
            origin=MEMORY_ORIGIN_MODEL,
            sources=[MemorySource(conversation_id=it.conversation_id, message_id=one.message_id)],
        )
        for text, one in zip(
            ("Ann likes tea.", "ann likes  TEA", "Ann likes tea!"), said, strict=True
        )
    ]
    assert len({one.memory_id for one in made}) == 1
    assert [source.message_id for source in made[-1].sources] == [one.message_id for one in said]
    made[-1].text = "Ann likes green tea"
    corrected = await it.ann.client.update_memory(made[-1], "text")
    assert (corrected.origin, corrected.updater) == (MEMORY_ORIGIN_PERSON, it.ann.scope)
    assert (await it.ann.client.update_memory(corrected, "text")) == corrected
    corrected.text, corrected.etag = "Ann likes black tea", "etag_old"
    with pytest.raises(AntiphonError) as refused:
        await it.ann.client.update_memory(corrected, "text", only_if_unchanged=True)
    assert refused.value.reason == "ETAG_MISMATCH"


async def test_all_of_ones_own_comes_page_by_page(it: Stage) -> None:
    for number in range(60):
        await it.bob.client.put_memory(f"Number {number} is a number")
    listed = [one.memory_id async for one in it.bob.client.list_memories()]
    assert len(listed) == len(set(listed)) >= 60
    assert listed == sorted(listed, reverse=True)
    exported = [one.memory.memory_id async for one in it.bob.client.export_memories()]
    assert exported == sorted(exported)
    assert set(listed) <= set(exported)
