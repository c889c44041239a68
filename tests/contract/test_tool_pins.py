"""Every store keeps what tools were when workspaces took them."""

import asyncio

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.adapters.sql_pins import SqlPinStore
from antiphon_server.integration.tools.model import Annotations, Definition, ToolName
from antiphon_server.integration.tools.ports import PinStore
from tests.fakes.databases import on_each_kind

store = on_each_kind(SqlPinStore, metadata)
ONE, OTHER = ToolName("test.one"), ToolName("test.other")
ADD = Definition(ONE, "It adds ä\U0001f600.", '{"a":1}', "", "Add", Annotations(read_only=True))
CHANGED = Definition(ONE, "It subtracts.", "{}")
LAST = Definition(OTHER, "It does nothing.", "{}")


async def test_the_first_stays(store: PinStore) -> None:
    """A workspace's are its own, and tell what the tool was."""
    assert await store.pins("ws_00000001") == {}
    assert await store.pin("ws_00000001", [ADD]) == {ONE: ADD.digest}
    kept = await store.pin("ws_00000001", [LAST, CHANGED])
    assert kept == {ONE: ADD.digest, OTHER: LAST.digest} == await store.pins("ws_00000001")
    assert await store.pinned("ws_00000001", ONE) == ADD
    assert await store.pin("ws_00000002", [CHANGED]) == {ONE: CHANGED.digest}
    assert await store.pinned("ws_00000002", OTHER) is None


async def test_an_approved_one_takes_its_place(store: PinStore) -> None:
    """Also where none was."""
    await store.pin("ws_00000001", [ADD])
    await store.approve("ws_00000001", CHANGED)
    await store.approve("ws_00000001", LAST)
    assert await store.pins("ws_00000001") == {ONE: CHANGED.digest, OTHER: LAST.digest}
    assert await store.pinned("ws_00000001", ONE) == CHANGED


async def test_of_two_at_once_one_is_kept(store: PinStore) -> None:
    """Both are told which."""
    told = await asyncio.gather(
        *(store.pin("ws_00000001", [it, LAST]) for it in (ADD, CHANGED) * 5)
    )
    assert all(each == told[0] for each in told)
