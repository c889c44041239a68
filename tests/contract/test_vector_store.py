"""Every store keeps vectors once, and never again what was forgotten."""

import pytest

from antiphon_server.memory.adapters import sql_vectors
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.sql_vectors import FORGOTTEN_US, SqlVectors
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.remembered import Kind, Memory, place_of
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
HERE, THERE, MODEL, HOUR_US = "conversations/conv_1", "conversations/conv_2", "m/1", 3_600_000_000
ONE, TWO, OLD = b"1" * 16, b"2" * 16, b"0" * 16


@pytest.fixture
def store(database: Database) -> SqlVectors:
    return SqlVectors(database)


async def test_what_is_kept_is_found_by_its_text_and_model(store: SqlVectors) -> None:
    """Not by another's place, and not what was made of other words, or by another model."""
    await store.keep(HERE, MODEL, [("a", ONE, b"va"), ("b", TWO, b"vb")], 1)
    asked = {"a": ONE, "b": ONE, "c": ONE}
    assert await store.find(HERE, MODEL, asked) == {"a": b"va"}
    assert await store.find(THERE, MODEL, asked) == {}
    assert await store.find(HERE, "m/2", asked) == {}


async def test_what_two_servers_make_is_kept_once(store: SqlVectors) -> None:
    """The first one's stays, and what is made of new words takes its place."""
    await store.keep(HERE, MODEL, [("a", ONE, b"first")], 1)
    await store.keep(HERE, MODEL, [("a", ONE, b"second"), ("b", ONE, b"other")], 1)
    assert await store.find(HERE, MODEL, {"a": ONE, "b": ONE}) == {"a": b"first", "b": b"other"}
    await store.keep(HERE, MODEL, [("a", TWO, b"third")], 1)
    assert await store.find(HERE, MODEL, {"a": TWO}) == {"a": b"third"}


async def test_what_was_forgotten_is_not_kept_again(store: SqlVectors) -> None:
    """By a server that was just making it, whether there was something of it before or not."""
    await store.keep(HERE, MODEL, [("a", ONE, b"va"), ("c", ONE, b"vc")], 1)
    await store.forget(HERE, ["a", "b"], HOUR_US)
    await store.make_room(HOUR_US + FORGOTTEN_US)
    await store.keep(HERE, MODEL, [("a", ONE, b"va"), ("b", ONE, b"vb")], 2)
    assert await store.find(HERE, MODEL, dict.fromkeys("abc", ONE)) == {"c": b"vc"}
    await store.make_room(2 * HOUR_US + FORGOTTEN_US)  # nobody is making it any more
    await store.keep(HERE, MODEL, [("a", ONE, b"va")], 2)
    assert await store.find(HERE, MODEL, {"a": ONE}) == {"a": b"va"}


async def test_what_is_forgotten_again_was_forgotten_before(store: SqlVectors) -> None:
    """Nothing was kept of it any more, and the days for which that is known begin once."""
    await store.keep(HERE, MODEL, [("a", ONE, b"va"), ("c", ONE, b"vc")], 1)
    assert await store.forget(HERE, ["b", "a"], HOUR_US) == 1
    assert await store.forget(HERE, ["a", "b", "c"], HOUR_US + FORGOTTEN_US) == 1
    await store.make_room(2 * HOUR_US + FORGOTTEN_US)
    await store.keep(HERE, MODEL, [(it, ONE, b"v") for it in "abc"], 2)
    assert await store.find(HERE, MODEL, dict.fromkeys("abc", ONE)) == {"a": b"v", "b": b"v"}


async def test_what_was_of_use_longest_ago_makes_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_vectors, "BATCH", 2)
    store = SqlVectors(database, most=4)
    for number, place in enumerate((HERE, THERE)):
        rows = [(str(each), ONE, b"v") for each in range(3)]
        await store.keep(place, MODEL, rows, number * 9 * HOUR_US)
    await store.used(HERE, 20 * HOUR_US)
    await store.make_room(20 * HOUR_US)
    asked = {str(each): ONE for each in range(3)}
    assert len(await store.find(HERE, MODEL, asked)) == 3
    assert await store.find(THERE, MODEL, asked) == {}


async def test_what_was_forgotten_pushes_nothing_out(database: Database) -> None:
    """It can't go yet, and what is of use would not make room for it."""
    store = SqlVectors(database, most=2)
    await store.keep(HERE, MODEL, [("a", ONE, b"va")], 1)
    await store.forget(THERE, ["b", "c", "d"], HOUR_US)
    await store.make_room(HOUR_US)
    assert await store.find(HERE, MODEL, {"a": ONE}) == {"a": b"va"}


@pytest.mark.parametrize("change", ["forget", "correct"])
async def test_with_what_a_memory_said_its_vector_goes(database: Database, change: str) -> None:
    """In the transaction that forgets or corrects it; nor is it kept again."""
    memories, store = SqlMemories(database), SqlVectors(database)
    said = Memory("mem_00000001", "users/user_1", Kind.FACT, "old words", etag="e1", update_us=9)
    await memories.put(said, None)
    await store.keep(place_of(said.scope), MODEL, [(said.memory_id, OLD, b"v")], 1)
    if change == "forget":
        await memories.forget(said.memory_id, 10)
    else:
        assert await memories.replace(
            Memory(
                "mem_00000001", said.scope, Kind.FACT, "new", etag="e2", version=2, update_us=10
            ),
            "e1",
        )
    await store.keep(place_of(said.scope), MODEL, [(said.memory_id, OLD, b"v")], 1)
    assert await store.find(place_of(said.scope), MODEL, {said.memory_id: OLD}) == {}
