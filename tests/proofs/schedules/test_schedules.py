"""The proof of due times, in a short form; and that it finds what is wrong."""

import pytest

from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import Firing
from tests.fakes.databases import on_each_kind
from tests.proofs.schedules.defective import NotedBefore, RandomIds
from tests.proofs.schedules.running import due_times_of

database = on_each_kind(lambda it: it, schedules.metadata)
DUE = 150


async def test_each_due_time_comes_once_or_is_left_out_as_said(database: Database) -> None:
    came = await due_times_of(database, DUE, "7", deadly=0.05)
    assert came.wrong == []
    assert came.due >= DUE
    assert came.started > 0


@pytest.mark.parametrize("made", [RandomIds, NotedBefore])
async def test_what_is_wrong_is_found(database: Database, made: type[Firing]) -> None:
    came = await due_times_of(database, DUE, "7", made, deadly=0.05)
    assert came.wrong
