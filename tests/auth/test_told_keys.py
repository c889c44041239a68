"""The trail tells of each key that signs its heads, and of nobody else's."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.audit_encoding import ROTATIONS, rotated_key
from antiphon_server.auth.model import DAY, SECOND, StoredSigningKey
from antiphon_server.auth.model.audit import AuditFault, Found
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports import ServerSecret
from antiphon_server.auth.ports.security_events import Records, unrecorded
from antiphon_server.auth.service.audit_heads import ALGORITHM, TYPE
from antiphon_server.auth.service.signing_keys import SigningKeys, thumbprint
from tests.auth.world import World, valid_kids

T = TypeVar("T")


async def test_a_key_that_was_never_told_of_is_told_of_at_the_next_start(world: World) -> None:
    """As an older version left it, or a kill: what it signed outlives it, too. It is told once."""
    kid = await untold(world, world.auth.base.secret).rotate()
    assert kid not in await rotations(world)
    for _ in range(2):
        await world.restart()
        assert kid in valid_kids(world.tokens.signing_keys)
        assert sorted(await rotations(world)) == sorted(valid_kids(world.tokens.signing_keys))
    kept = (await world.auth.trail.trail.head()).signature
    for _ in range(3):
        world.clock.time += 86_400
        await world.tokens.signing_keys.rotate()
    assert (await world.auth.trail.trail.verify(kept)).found is None


class Silent:
    """Records nothing."""

    def recording(
        self, _events: Callable[[T], Sequence[SecurityEvent]]
    ) -> AbstractContextManager[Records[T]]:
        """See :meth:`Recorder.recording`."""
        return nullcontext(unrecorded)


def untold(world: World, secret: ServerSecret) -> SigningKeys:
    """Keys in the world's store whose rotations the trail does not tell of."""
    return SigningKeys(world.stores.signing_keys, secret, Silent(), world.clock, 900)


async def test_a_key_that_another_slipped_in_is_not_told_of(world: World) -> None:
    """One that this installation's secret does not open is nobody's whose heads should count."""
    kid = await untold(world, MasterSecret(b"x" * 32)).rotate()
    await world.tokens.signing_keys.rotate()
    await world.restart()
    assert kid in valid_kids(world.tokens.signing_keys)
    assert kid not in await rotations(world)


async def test_a_head_of_a_key_that_another_slipped_in_is_refused(world: World) -> None:
    """Whoever writes the database adds a key, also with the sealed part of a genuine one.

    Heads of the genuine ones count all the same, and no other one ever signs.
    """
    store, signing, trail = (
        world.stores.signing_keys,
        world.tokens.signing_keys,
        world.auth.trail.trail,
    )
    (genuine,) = await store.list_valid(0)
    kept = (await trail.head()).signature
    for sealed in (b"anything", genuine.sealed_private_key):
        forger = Ed25519PrivateKey.generate()
        public = forger.public_key().public_bytes_raw()
        kid, now = thumbprint(public), int(world.clock() * SECOND)
        later = now + DAY
        await store.rotate(StoredSigningKey(kid, public, sealed, now + 1), later, now, unrecorded)
        await signing.reload()
        assert kid in valid_kids(signing)
        assert signing.signer()[0] == genuine.kid
        lie = {"iat": world.clock(), "sequence": 0, "hash": "0" * 64}
        forged = jwt.encode(lie, forger, ALGORITHM, headers={"typ": TYPE, "kid": kid})
        assert (await trail.verify(forged)).found == Found(AuditFault.SIGNATURE_INVALID, 0)
        assert (await trail.verify(kept)).found is None


async def test_a_server_that_stops_tells_of_the_key_that_it_was_making(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the schedule is cancelled when the key is in the store and not yet in the trail."""
    reload, made = world.tokens.signing_keys.reload, asyncio.Event()

    async def slow_reload() -> None:
        made.set()
        await asyncio.sleep(0)
        await reload()

    monkeypatch.setattr(world.tokens.signing_keys, "reload", slow_reload)
    world.clock.time += 31 * 86_400
    schedule = asyncio.create_task(world.tokens.key_rotation.run())
    await made.wait()
    schedule.cancel()
    await asyncio.wait([schedule])
    await world.restart()
    assert len(await rotations(world)) == 2


async def rotations(world: World) -> list[str]:
    """The keys that the trail tells of, in order."""
    found = await world.stores.security_events.after(0, ROTATIONS, 100)
    return [rotated_key(event)[0] for event in found]
