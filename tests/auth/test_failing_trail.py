"""An act and the events that tell of it are there together, or neither is."""

from dataclasses import fields

import pytest
from sqlalchemy.exc import IntegrityError

from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.model.chain import ALL, SealedEvent
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import set_address
from tests.auth.acts import ACTS, Scene
from tests.auth.test_recorded import kinds, last
from tests.auth.world import World, reason

REFUSED = (IntegrityError, DomainError)


@pytest.fixture
async def scene(scene: Scene) -> Scene:
    """The same whose trail takes nothing."""
    await scene.refuse()
    return scene


def test_every_act_that_is_recorded_is_tried() -> None:
    """Each method of a store that takes records, but for the trail's own."""
    stores = [(field.name, field.type) for field in fields(Stores)]
    recorded = {
        (name, method)
        for name, store in stores
        for method, function in vars(store).items()
        if "records" in getattr(function, "__annotations__", {})
    }
    tried = {(act.store, act.method) for act in ACTS.values()}
    assert tried == recorded - {("security_events", "append")}


@pytest.mark.parametrize("act", ACTS)
async def test_what_can_not_be_recorded_does_not_happen(scene: Scene, act: str) -> None:
    """Nothing of it is there; once the trail takes events again, the same is done and recorded."""
    before, recorded = await scene.rows(), await kinds(scene.world)
    with pytest.raises(REFUSED):
        await ACTS[act].do(scene)
    assert await scene.rows() == before
    await scene.accept()
    if act == "reuse":
        assert await reason(ACTS[act].do(scene)) is Reason.SESSION_REVOKED
    else:
        await ACTS[act].do(scene)
    assert len(await kinds(scene.world)) > len(recorded)


async def test_a_use_of_a_key_is_recorded_with_its_session(scene: Scene) -> None:
    """The first, and one from a new place: where it can't be, the next one there is as new."""
    auth, origin = scene.world.auth, Origin(LoginMethod.API_KEY)
    key = await scene.world.stores.api_keys.get(scene.key)
    for address, new in (("192.0.2.1", False), ("198.51.100.7", True)):
        set_address(address)
        before, recorded = await scene.rows(), await kinds(scene.world)
        with pytest.raises(REFUSED):
            await auth.accounts.sessions.open(scene.user, origin, key)
        assert await scene.rows() == before
        await scene.accept()
        for _ in range(2):
            await auth.accounts.sessions.open(scene.user, origin, key)
        assert await kinds(scene.world) == [*recorded, "api_key_used"]
        used = (await last(scene.world)).api_key_used
        assert (used.new_place, used.count) == (new, 1)
        await scene.refuse()
    await scene.accept()
    await auth.coalesced.flush(all_of_it=True)
    assert (await kinds(scene.world))[-2:] == ["api_key_used"] * 2


async def test_nobody_is_told_of_what_did_not_happen(scene: Scene) -> None:
    """Neither alarms, metrics and watches nor the streams of the session hear of it."""
    heard: list[tuple[SecurityEvent, SealedEvent]] = []
    scene.world.recording.security_events.on_event(lambda *event: heard.append(event))
    with pytest.raises(REFUSED):
        await ACTS["disable"].do(scene)
    await scene.caller()
    assert (heard, scene.world.events.told) == ([], [])


async def test_an_event_names_who_called(world: World) -> None:
    """Though a store's thread writes it, and another call may be in hand by then."""
    user = await world.user()
    caller = Principal("user", UserId("user_other"), SessionId("sess_other"), operator=True)
    set_principal(caller)
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
    newest = (await world.stores.security_events.before(None, ALL, 1))[0]
    assert newest.actor == "users/user_other"
