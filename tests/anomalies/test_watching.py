"""Whatever fails while flags are written, detectors go on."""

import asyncio
from collections.abc import Sequence

import pytest

from antiphon_server.anomalies import watching
from antiphon_server.anomalies.adapters.sql_detectors import sql_detectors
from antiphon_server.anomalies.adapters.sql_flags import SqlFlags
from antiphon_server.anomalies.adapters.tables import flags
from antiphon_server.anomalies.detecting import Detecting
from antiphon_server.anomalies.model import Detector, Flag, Raised, Rate, Sign, Signal
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.anomalies.watching import Detectors, Watching
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.storage.database import Database
from tests.e2e.until import until_it
from tests.fakes.databases import on_each_kind
from tests.proofs.anomalies.running import Everything

database = on_each_kind(lambda it: it, flags.metadata)


class BreaksOnce(SqlFlags):
    """A store with a defect that shows once."""

    failed = 0

    async def raise_all(self, found: Sequence[Raised]) -> Sequence[Flag]:
        """See :meth:`FlagStore.raise_all`."""
        if not self.failed:
            self.failed += 1
            raise ValueError("a defect")
        return await super().raise_all(found)


async def test_a_defect_ends_no_detector(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is written the next time."""
    monkeypatch.setattr(watching, "FAILED_S", 0.01)
    set_principal(Principal("user", UserId("user_0000boss"), SessionId("sess_1")))
    detectors = Detectors("detectors", sql_detectors(database), Detecting)
    await detectors.set(GLOBAL, [Detector("floods", Rate(most=1))], "", None)
    store = BreaksOnce(database)
    seeing = Watching(detectors, store, Throttles(Everything(), lambda: 1), lambda: 100.0)
    running = asyncio.create_task(seeing.run())
    for _ in range(3):
        seeing.note(Signal(Sign.SAID, 100.0, "users/user_00000ann"))

    async def is_flagged() -> bool:
        return bool(await store.open_by_effect())

    await until_it(is_flagged)
    assert store.failed == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await detectors.close()
