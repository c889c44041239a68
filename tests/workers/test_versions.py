"""Which version of a deployment a turn gets."""

from dataclasses import dataclass, field

import pytest

from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.workers.frames import Want
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.model import GLOBAL, Parent, Release, Rollout, SeenVersion
from antiphon_server.workers.versions import AWAY_S, BREAK_S, There, Versions

V1, V2, V3 = (Release("reviewer", it) for it in ("v1", "v2", "v3"))
OTHER = Release("linter", "v9")


@dataclass
class World:
    """Versions, and clocks that stand still until they are moved."""

    now: float = 1000.0
    versions: Versions = field(init=False)

    def __post_init__(self) -> None:
        self.versions = Versions(lambda: self.now, lambda: self.now)

    def learn(self, *rollouts: Rollout, seen_s: float = 0.0) -> None:
        """The versions in the order in which they came: v2 was there before v1."""
        came = (V2, V1, V3, OTHER)
        seen_us = round(seen_s * 1e6)
        seen = [SeenVersion(GLOBAL, *it, at, 1, seen_us) for at, it in enumerate(came)]
        self.versions.learn(seen, rollouts)

    def given(
        self,
        *ready: Release,
        conversation: str = "conv_1",
        began: Release | None = None,
        about_to_stop: tuple[Release, ...] = (),
        shunned: tuple[Release, ...] = (),
        given_back: bool = False,
    ) -> set[str]:
        """The versions that a turn may be given, with those workers there."""
        want = Want(
            TurnId("turn_1"),
            "reviewer",
            "global",
            conversation_id=conversation,
            began=began,
            given_back=given_back,
        )
        there = There(ready, (*ready, *about_to_stop), shunned)
        return {it.version for it in self.versions.allowed(want, there)}


@pytest.fixture
def world() -> World:
    world = World()
    world.learn()
    return world


def _set(current: str, ramping: str = "", percent: int = 0) -> Rollout:
    return Rollout(GLOBAL, "reviewer", current, ramping, percent)


def test_the_one_that_came_last_begins_turns(world: World) -> None:
    """Of those that have workers; a name says nothing about age."""
    assert world.given(V1, V2) == {"v1"}
    assert world.given(V1, V2, V3) == {"v3"}
    assert world.given(V2) == {"v2"}
    assert world.given() == set()


def test_each_deployment_has_its_own(world: World) -> None:
    """Two that serve a handler share its turns."""
    assert world.given(V1, V2, OTHER) == {"v1", "v9"}


def test_what_is_not_known_yet_is_the_oldest(world: World) -> None:
    """Another server has stored it just now: it is known here within a second."""
    assert world.given(V1, Release("reviewer", "v4")) == {"v1"}
    assert world.given(Release("reviewer", "v4")) == {"v4"}


def test_a_rollout_stays_until_it_is_changed(world: World) -> None:
    """Whatever comes later; another parent's is another one."""
    world.learn(_set("v2"), Rollout(Parent("ws_00000001"), "reviewer", "v1"))
    assert world.given(V1, V2, V3) == {"v2"}
    world.learn()
    assert world.given(V1, V2, V3) == {"v3"}


@pytest.mark.parametrize("percent", [0, 1, 25, 50, 99, 100])
def test_a_share_of_the_conversations_ramps(world: World, percent: int) -> None:
    """Each stays on its side, also when the share grows."""
    many = 20_000

    def ramped(percent: int) -> set[int]:
        world.learn(_set("v1", "v2", percent))
        return {at for at in range(many) if world.given(V1, V2, conversation=f"c{at}") == {"v2"}}

    share = ramped(percent)
    assert abs(len(share) / many - percent / 100) < 0.015
    assert share == ramped(percent)
    assert share <= ramped(min(percent + 10, 100))


def test_without_a_worker_nothing_ramps(world: World) -> None:
    """The current one begins all then."""
    world.learn(_set("v1", "v2", 100))
    assert world.given(V1, V2) == {"v2"}
    assert world.given(V1) == {"v1"}


def test_a_current_one_without_workers_is_waited_for(world: World) -> None:
    """For as long as a restart may take; then turns take what is there."""
    world.learn(_set("v2"))
    assert world.given(V1, about_to_stop=(V2,)) == set()
    world.versions.went(V2)
    world.now += AWAY_S - 1
    assert world.given(V1) == set()
    world.now += 2
    assert world.given(V1) == {"v1"}


def test_a_turn_keeps_its_version(world: World) -> None:
    """Whatever is current, while a worker of it takes turns, or did when its stream broke."""
    world.learn(_set("v3", "v1", 100))
    assert world.given(V1, V2, V3, began=V2) == {"v2"}
    assert world.given(V1, V3, began=V2, about_to_stop=(V2,)) == {"v3"}
    world.versions.went(V2)
    world.now += BREAK_S / 2
    assert world.given(V1, V3, began=V2) == {"v2"}
    world.now += BREAK_S
    assert world.given(V1, V3, began=V2) == {"v3"}  # the current one, no share


def test_a_turn_goes_on_soon_whose_version_is_gone(world: World) -> None:
    """Its worker was waited for before: when that is lost, nobody waits for another one."""
    world.learn(seen_s=world.now)
    world.versions.went(V2)
    world.now += WorkerLimits().back_s
    assert world.given(V1, began=V2) == {"v1"}


def test_a_turn_goes_where_it_was_said_to(world: World) -> None:
    """A current one that was set is waited for by those too that were begun, also by itself."""
    world.learn(_set("v2"), seen_s=world.now)
    world.now += BREAK_S
    assert world.given(V1, began=V2) == world.given(V1, began=V3) == set()
    world.now += AWAY_S
    assert world.given(V1, began=V2) == world.given(V1, began=V3) == {"v1"}


def test_a_server_that_has_just_started_waits_for_a_current_one(world: World) -> None:
    """The store has when it was seen last."""
    world.learn(_set("v2"), seen_s=world.now - AWAY_S + 5)
    assert world.given(V1) == set()
    world.now += 6
    assert world.given(V1) == {"v1"}


def test_one_that_nobody_of_its_version_takes_goes_on(world: World) -> None:
    """Its workers are there, and have given it back."""
    world.learn(seen_s=world.now)
    assert world.given(V1, began=V2, shunned=(V2,)) == {"v1"}


def test_one_that_was_given_back_waits_for_nobody_who_is_gone(world: World) -> None:
    """Its worker has stopped, and said so: the version is not there and does not come back."""
    world.learn(seen_s=world.now)
    world.versions.went(V2)
    assert world.given(V1, began=V2, given_back=True) == {"v1"}
    assert world.given(V1, V2, began=V2, given_back=True) == {"v2"}
    assert world.given(V1, began=V2, given_back=True, about_to_stop=(V2,)) == {"v1"}
