"""One corpus through every entrance: the same verdict, whichever way something comes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import pytest
import pytest_asyncio

from antiphon.context.v1 import filter_service_pb2 as pb
from antiphon.context.v1.filter_pb2 import Screening
from tests.e2e.calls import new_conversation
from tests.e2e.entrances import ENTRANCES
from tests.e2e.entrances.entrance import Entrance, Stage
from tests.e2e.entrances.stages import FILTERS, apart, together
from tests.filters.corpus import ATTACKS, HARMLESS, Sample

pytestmark = pytest.mark.asyncio(loop_scope="module")
SIDE_BY_SIDE = 8
WAYS = [
    pytest.param(stage, it, id=f"{it.name}, {stage.__name__}")
    for stage in (together, apart)
    for it in ENTRANCES
    if stage is together or not it.needs_worker
]
"""A worker dials one server, which has to be all of them."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    """A workspace behind all built-in filters."""
    async with request.param(tmp_path_factory.mktemp("entrances")) as stage:
        yield stage


@pytest.mark.parametrize(("stage", "entrance"), WAYS, indirect=["stage"])
async def test_the_verdict_is_the_same_everywhere(stage: Stage, entrance: Entrance) -> None:
    """What an attack is refused for is what trying it says; nothing of it is said."""
    here, attacks = await _anew(stage), [it for it in ATTACKS if entrance.takes(it)]
    assert len(attacks) > len(ATTACKS) / 2
    tried = [await _tried(stage, it) for it in attacks]
    assert all(it.refused for it in tried)
    await _prepared(here, entrance, attacks)
    before = {it.screening_id for it in await _screenings(stage)}
    became = await _all_come(here, entrance, attacks)
    assert became == dict.fromkeys(became, "CONTENT_BLOCKED")
    found = [it for it in await _screenings(stage) if it.screening_id not in before]
    assert _said(found, entrance) == _said(tried, entrance)
    listed = [it async for it in stage.client.list_messages(here.calls.conversation_id)]
    assert listed == []


@pytest.mark.parametrize(("stage", "entrance"), WAYS, indirect=["stage"])
async def test_what_is_harmless_passes_everywhere(stage: Stage, entrance: Entrance) -> None:
    """Nobody says anything about it."""
    here, harmless = await _anew(stage), [it for it in HARMLESS if entrance.takes(it)]
    await _prepared(here, entrance, harmless)
    before = await _screenings(stage)
    became = await _all_come(here, entrance, harmless)
    assert became == dict.fromkeys(became, "")
    assert await _screenings(stage) == before


async def _anew(stage: Stage) -> Stage:
    """The same in a conversation where nothing has been said."""
    calls = stage.calls
    return Stage(await new_conversation(calls.channel, calls.caller), stage.client)


async def _prepared(stage: Stage, entrance: Entrance, samples: Sequence[Sample]) -> None:
    """Make what they come in by, before the filters stand."""
    if entrance.before is not None:
        await stage.client.set_filters(stage.workspace, [])
        await entrance.before(stage, samples)
        await stage.client.set_filters(stage.workspace, FILTERS)


async def _all_come(
    stage: Stage, entrance: Entrance, samples: Sequence[Sample]
) -> Mapping[str, str]:
    """Why each was refused."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(sample: Sample) -> str:
        async with places:
            return await entrance.comes(stage, sample)

    came = await asyncio.gather(*map(one, samples))
    return dict(zip([it.name for it in samples], came, strict=True))


async def _tried(stage: Stage, sample: Sample) -> pb.TryFiltersResponse:
    return await stage.client.try_filters(stage.workspace, *sample.parts)


async def _screenings(stage: Stage) -> list[Screening]:
    """The newest first."""
    return [it async for it in stage.client.list_screenings(stage.workspace)]


def _said(
    them: Iterable[Screening | pb.TryFiltersResponse], entrance: Entrance
) -> list[list[tuple[str, list[str], int]]]:
    """What filters said of each, in any order: they came side by side."""
    return sorted(
        [
            (one.filter, list(one.categories), 0 if entrance.in_a_form else one.found)
            for one in it.verdicts
        ]
        for it in them
    )
