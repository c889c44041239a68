"""The proof of detectors, in a short form; and that it finds what is wrong."""

import pytest

from antiphon_server.anomalies.adapters.tables import flags
from antiphon_server.anomalies.detecting import Memories
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind
from tests.proofs.anomalies.defective import Forgetful, Mingled, exact
from tests.proofs.anomalies.running import came_of
from tests.proofs.anomalies.traffic import Traffic

database = on_each_kind(lambda it: it, flags.metadata)


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(it, marks=pytest.mark.proof) for it in range(3, 13))]
)
async def test_who_misbehaves_is_flagged_within_a_minute(database: Database, seed: int) -> None:
    """All five, and at most one of the 45 others."""
    came = await came_of(database, Traffic(seed))
    assert came.right, came


@pytest.mark.parametrize("memories", [Forgetful, Mingled])
async def test_what_is_wrong_is_found(database: Database, memories: type[Memories]) -> None:
    """Detectors that remember too few, or take all for one."""
    assert not (await came_of(database, Traffic(1), memories())).right


async def test_fingerprints_that_are_too_exact_are_found(database: Database) -> None:
    """Who says the same with another number each time is missed by them."""
    assert (await came_of(database, Traffic(1, exact))).missed == ["repetition"]
