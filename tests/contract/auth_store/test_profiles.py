"""Profiles in stores."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from antiphon_server.auth.adapters.sql import profiles as sql_profiles
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.profiles.model import Profile
from tests.contract.auth_store.world import ANN, BOB, people
from tests.e2e.refusals import Refused

HERS = Profile(
    ANN.user_id,
    "",
    "de",
    "Europe/Berlin",
    "Ännchen",
    ("short answers", "metric units"),
    {"team": "blue"},
    "etag_1",
    7,
)


def _becomes(it: Profile) -> Callable[[Profile], Profile]:
    return lambda _before: it


async def _put(stores: Stores, *them: Profile) -> None:
    for it in them:
        rule = _becomes(it)
        await stores.profiles.change(it.user_id, it.workspace_id, rule, unrecorded)


async def _places(stores: Stores, where: Sequence[str] | None) -> list[tuple[str, str]]:
    found = await stores.profiles.of([ANN.user_id, BOB.user_id], where)
    return [(it.user_id, it.workspace_id) for it in found]


async def test_a_profile_comes_back_whole_and_is_replaced(stores: Stores) -> None:
    """The rule sees what was there; what it makes of it stands there afterwards."""
    await people(stores)
    await _put(stores, HERS)
    assert await stores.profiles.of([ANN.user_id], [""]) == [HERS]
    seen: list[Profile] = []
    other = replace(HERS, locale="fr", etag="etag_2")

    def rule(before: Profile) -> Profile:
        seen.append(before)
        return other

    change = await stores.profiles.change(ANN.user_id, "", rule, unrecorded)
    assert change is not None
    assert change.changed == ("locale",)
    assert seen == [HERS]
    assert await stores.profiles.of([ANN.user_id], None) == [other]


async def test_each_place_has_its_own(stores: Stores) -> None:
    """Those that are asked for are found, by user and place; one that says nothing isn't kept."""
    await people(stores)
    there = replace(HERS, workspace_id="ws_1")
    await _put(stores, there, HERS, replace(HERS, workspace_id="ws_2"))
    await _put(stores, replace(HERS, user_id=BOB.user_id))
    ann, bob = ANN.user_id, BOB.user_id
    assert await _places(stores, ["", "ws_1"]) == [(ann, ""), (ann, "ws_1"), (bob, "")]
    await _put(stores, Profile(ann, "ws_1"))
    assert await _places(stores, None) == [(ann, ""), (ann, "ws_2"), (bob, "")]
    assert await stores.profiles.delete_all(ann, unrecorded) is not None
    assert await _places(stores, None) == [(bob, "")]


async def test_nobody_has_none_and_many_workspaces_are_too_many(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there may change when there are too many; everywhere is no workspace."""
    await people(stores)
    nobody = UserId("user_nobody00")
    assert await stores.profiles.change(nobody, "", _becomes(HERS), unrecorded) is None
    assert await stores.profiles.delete_all(nobody, unrecorded) is None
    monkeypatch.setattr(sql_profiles, "MOST", 2)
    await _put(stores, *(replace(HERS, workspace_id=it) for it in ("ws_1", "ws_2", "")))
    with Refused(Reason.LIMIT_EXCEEDED):
        await _put(stores, replace(HERS, workspace_id="ws_3"))
    await _put(stores, replace(HERS, workspace_id="ws_2", locale="fr"))
