"""What waits for the log is bounded, whoever still waits for it."""

import asyncio

import pytest

from antiphon_server.events import log as log_module
from antiphon_server.events.adapters.memory import MemoryLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NewEvent, Scope
from antiphon_server.runtime.errors import DomainError, Reason

SCOPE = Scope("conversations/conv_00000001")
EVENTS = [NewEvent(10, "", bytes(60))]


async def test_what_a_caller_left_behind_counts_until_it_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An append whose caller was cancelled is held as long as any other."""
    monkeypatch.setattr(log_module, "MAX_WAITING_BYTES", 100)
    log = EventLog(MemoryLogStore())
    gone = asyncio.create_task(log.append(SCOPE, EVENTS))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    with pytest.raises(DomainError) as refused:
        await asyncio.wait_for(log.append(SCOPE, EVENTS), 5)
    assert refused.value.reason is Reason.OVERLOADED
    running = asyncio.create_task(log.run())
    for _ in range(5):
        await asyncio.sleep(0)
    assert (await log.append(SCOPE, EVENTS)).first == 2
    log.close()
    await running
