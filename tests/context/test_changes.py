"""Changes whose caller has gone."""

import asyncio
import gc
from typing import Any

import pytest

from antiphon_server.context.ports import Records
from antiphon_server.context.service.changes import Changes
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.relay import relay_to_log, relay_to_trail
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.errors import not_found
from tests.context.stand_ins import Held
from tests.context.world import World


async def test_a_change_that_fails_after_its_caller_left_is_no_defect(world: World) -> None:
    """A refusal that nobody waits for is not reported as a forgotten exception."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: reported.append(what))

    def refuse(_records: Records) -> None:
        raise not_found("it")

    slow = Held(world.database)
    slow.may_write.clear()
    roles = Roles(world.store)
    directory = Directory(world.store, roles)
    relays = relay_to_log(world.store, world.log.append), relay_to_trail(world.store, world.audit)
    changes = Changes(slow, roles, directory, *relays)
    caller = asyncio.create_task(changes.make(refuse))
    await slow.write_begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    slow.may_write.set()
    await changes.close()
    gc.collect()
    await asyncio.sleep(0)
    assert reported == []
