"""Who hangs up between an act and its event leaves no act without one."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from antiphon_server.auth.model.identities import ProviderName, Vouched
from antiphon_server.runtime.principal import set_principal
from tests.auth.test_recorded import kinds
from tests.auth.world import OPERATOR, World

EVE = Vouched(ProviderName("corp"), "https://idp.example", "s", ("eve",), "Eve")


async def hang_up(
    store: object, method: str, call: Coroutine[Any, Any, object], patched: pytest.MonkeyPatch
) -> None:
    """Cancel the call once the store has committed, before its answer."""
    real, committed = getattr(store, method), asyncio.Event()

    async def slow(*values: object) -> object:
        result = await real(*values)
        committed.set()
        await asyncio.sleep(0)
        return result

    patched.setattr(store, method, slow)
    calling = asyncio.create_task(call)
    await committed.wait()
    calling.cancel()
    await asyncio.wait([calling])
    assert calling.cancelled()


async def test_a_new_account_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the identity that it was made for."""
    identities = world.auth.provider_login._identities
    call = identities.user_of(EVE, sign_up=True)
    await hang_up(world.stores.identities, "sign_up", call, monkeypatch)
    await world.auth.completion.close()
    assert (await kinds(world))[-2:] == ["user_created", "identity_linked"]


async def test_a_reset_token_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nobody has received it."""
    set_principal(OPERATOR)
    user = await world.user()
    call = world.auth.password_resets.create(user.user_id)
    await hang_up(world.stores.password_resets, "put", call, monkeypatch)
    await world.auth.completion.close()
    assert (await kinds(world))[-1] == "password_reset_created"
