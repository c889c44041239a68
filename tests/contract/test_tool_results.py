"""Every store keeps large results of tools, the newest of each workspace."""

from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.model import Caller, KeptPart, Piece, ToolCallId
from antiphon_server.integration.tools.ports import ResultStore
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

MOST = 1_000


def _store(database: Database) -> SqlResultStore:
    return SqlResultStore(database, MOST)


store = on_each_kind(_store, metadata)
ME, OTHER = Caller("ws_00000001", "conv_00000001"), Caller("ws_00000002", "conv_00000002")
CALL = ToolCallId("tool_00000001")
TEXT = KeptPart("text", "text/plain", "ä\0b".encode())
PICTURE = KeptPart("image", "image/png", bytes(range(256)))


async def test_pieces_are_read(store: ResultStore) -> None:
    """From any byte on, behind the end nothing; each with what is known of the whole."""
    assert await store.keep(ME, CALL, [TEXT, PICTURE])
    read = await store.read("conv_00000001", CALL, 0, 1, 2)
    assert read == Piece("text", "text/plain", TEXT.data[1:3], 4, 2)
    read = await store.read("conv_00000001", CALL, 1, 250, 1_000)
    assert read == Piece("image", "image/png", PICTURE.data[250:], 256, 2)
    for offset in (256, 2**62):
        assert (await store.read("conv_00000001", CALL, 1, offset, 10)).data == b""


@pytest.mark.parametrize(
    ("conversation", "call", "part"),
    [
        ("conv_00000002", CALL, 0),
        ("conv_00000001", "tool_00000002", 0),
        ("conv_00000001", CALL, 2),
    ],
)
async def test_what_is_not_there_is_said(
    store: ResultStore, conversation: str, call: str, part: int
) -> None:
    """A result is its own conversation's alone."""
    await store.keep(ME, CALL, [TEXT, PICTURE])
    with pytest.raises(DomainError) as caught:
        await store.read(conversation, ToolCallId(call), part, 0, 10)
    assert caught.value.reason is Reason.NOT_FOUND


async def test_the_oldest_go_first(store: ResultStore) -> None:
    """They make room for new ones, of their own workspace alone; what is too large is not kept."""
    calls = [ToolCallId(f"tool_0000000{at}") for at in range(5)]
    await store.keep(OTHER, calls[0], [_of(900)])
    for call in calls[1:4]:
        assert await store.keep(ME, call, [_of(200), _of(200)])
    assert not await store.keep(ME, calls[4], [_of(MOST + 1)])
    there = [call for call in calls[1:] if await _is_there(store, ME, call)]
    assert there == calls[2:4]
    assert await _is_there(store, OTHER, calls[0])


async def test_a_result_takes_its_own_place(store: ResultStore) -> None:
    """A call that was made again has the result of the second time."""
    await store.keep(ME, CALL, [_of(600), _of(300)])
    assert await store.keep(ME, CALL, [TEXT])
    assert (await store.read("conv_00000001", CALL, 0, 0, 10)).parts == 1


async def test_an_attempt_that_is_over_changes_nothing(store: ResultStore) -> None:
    """A server that wakes has a result still; the one that went on has its own, which is told."""
    first, second = (replace(ME, attempt=number) for number in (1, 2))
    assert await store.keep(first, CALL, [_of(200)])
    assert await store.keep(second, CALL, [TEXT])
    assert not await store.keep(first, CALL, [_of(200), _of(200)])
    read = await store.read("conv_00000001", CALL, 0, 0, 10)
    assert read == Piece("text", "text/plain", TEXT.data, 4, 1)
    assert await store.keep(second, CALL, [PICTURE]), "it may store again"


def _of(size: int) -> KeptPart:
    return KeptPart("file", "application/zip", b"x" * size)


async def _is_there(store: ResultStore, whose: Caller, call: ToolCallId) -> bool:
    try:
        await store.read(whose.conversation_id, call, 0, 0, 1)
    except DomainError:
        return False
    return True
