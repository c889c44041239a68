"""Signing keys: sealed at rest, replaced without refusing a valid token."""

from pathlib import Path

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.service.signing_keys import thumbprint
from antiphon_server.runtime.errors import Reason
from tests.auth.world import World, contents, open_world, reason


async def test_rotation_refuses_no_valid_token(world: World) -> None:
    """Old tokens live out their time under a new key; then the old key is dead and gone."""
    await world.user()
    tokens, kids = [], set()
    for _ in range(3):
        tokens.append((await world.login()).tokens.access_token)
        kids |= {key.kid for key in world.auth.signing_keys.valid()}
        await world.auth.signing_keys.rotate()
        for token in tokens:
            await world.auth.verifier.verify(token)
            world.auth.verifier.forget()
    assert len(kids) == 3
    world.clock.time += 900
    assert len(world.auth.signing_keys.valid()) == 1
    world.auth.verifier.forget()
    for token in tokens:
        assert await reason(world.auth.verifier.verify(token)) is Reason.TOKEN_INVALID
    await world.auth.signing_keys.rotate()
    now = int(world.clock() * 1_000_000)
    assert len(await world.stores.signing_keys.list_valid(0)) == 2
    assert len(await world.stores.signing_keys.list_valid(now)) == 2


async def test_keys_survive_a_restart(tmp_path: Path) -> None:
    """Tokens of the process before are good, and the same key goes on signing."""
    before = await open_world(tmp_path, sqlite=True)
    await before.user()
    token = (await before.login()).tokens.access_token
    kid = before.auth.signing_keys.signer()[0]
    await before.close()
    after = await open_world(tmp_path, sqlite=True, clock=before.clock)
    await after.auth.verifier.verify(token)
    assert after.auth.signing_keys.signer()[0] == kid
    await after.close()


async def test_the_private_part_is_sealed(world: World, tmp_path: Path) -> None:
    """Neither the store nor the files of the database hold the private key."""
    private = world.auth.signing_keys.signer()[1].private_bytes_raw()
    (stored,) = await world.stores.signing_keys.list_valid(0)
    assert private not in stored.sealed_private_key
    assert "private" not in repr(world.auth.signing_keys.valid()[0]).replace("sealed_private", "")
    assert private not in contents(tmp_path)
    assert MasterSecret(b"x" * 32).open(stored.sealed_private_key, "signing keys") is None


def test_a_key_is_named_by_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    x = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
