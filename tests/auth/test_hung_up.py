"""Who hangs up behind the commit of an act stops nothing of what has to follow it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.model.chain import ALL, SealedEvent
from tests.auth.acts import ACTS, Scene
from tests.auth.asked import Asked

CALLED = [name for name in ACTS if name != "expire"]
"""What runs out ends by itself: nobody called."""


async def hang_up(store: object, method: str, call: Coroutine[Any, Any, object]) -> None:
    """Cancel the call once the store has committed, before its answer."""
    committing, calling = Asked(store, method, late=True), asyncio.create_task(call)
    await committing.found.wait()
    calling.cancel()
    committing.answer.set()
    await asyncio.wait([calling])
    assert calling.cancelled()


@pytest.mark.parametrize("name", CALLED)
async def test_what_follows_an_act_follows(
    scene: Scene, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alarms, metrics and watches hear of it, ended tokens are refused, streams and others told."""
    world, act = scene.world, ACTS[name]
    auth, stores = world.auth, world.stores
    before, position = await stores.security_events.head(), await stores.endings.last()
    heard, woken = list[SealedEvent](), list[bool]()
    auth.recording.security_events.on_event(lambda _, sealed: heard.append(sealed))
    monkeypatch.setattr(auth.tokens.messenger, "publish", lambda: woken.append(True))
    call = cast(Coroutine[Any, Any, object], act.do(scene))
    await hang_up(getattr(stores, act.store), act.method, call)
    await auth.base.completion.close()
    await auth.recording.alarms.flush()
    assert heard == await stores.security_events.after(before.sequence, ALL, 100) != []
    ended = [one.session_id for one in await stores.endings.after(position, 100)]
    assert {auth.tokens.liveness.state(one) for one in ended} <= {False}
    assert {session_id for _, session_id in world.events.told} == set(ended)
    assert await stores.sessions.list_unannounced(1) == []
    now = int(world.clock() * SECOND)
    stored = {key.kid for key in await stores.signing_keys.list_valid(now)}
    assert {key.kid for key in auth.tokens.signing_keys.valid()} == stored
    assert bool(woken) == bool(ended or act.store == "signing_keys")
