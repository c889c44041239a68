"""The proof of notifications, in a short form; and that it finds what is wrong."""

import pytest

from antiphon_server.notifying.adapters.tables import webhooks
from antiphon_server.notifying.telling import Telling
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind
from tests.proofs.notifying.clockwork import Noting
from tests.proofs.notifying.defective import ForgottenFirst, NotedAfter
from tests.proofs.notifying.running import ends_of

database = on_each_kind(lambda it: it, webhooks.metadata)
TURNS = 200


async def test_each_end_is_told_to_whose_it_is_and_to_nobody_else(database: Database) -> None:
    came = await ends_of(database, TURNS, "7")
    assert came.wrong == []
    assert came.deaths
    assert came.failures


@pytest.mark.parametrize(("telling", "noting"), [(ForgottenFirst, Noting), (Telling, NotedAfter)])
async def test_what_is_wrong_is_found(
    database: Database, telling: type[Telling], noting: type[Noting]
) -> None:
    assert (await ends_of(database, TURNS, "7", telling, noting)).wrong
