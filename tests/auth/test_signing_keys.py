"""Signing keys: sealed at rest, replaced without refusing a valid token."""

import asyncio
from functools import partial
from pathlib import Path

import jwt

from antiphon.auth.v1.audit_pb2 import SecurityEvent as SecurityEventMessage
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.sql.signing_keys import SqlSigningKeys
from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.model.chain import ALL
from antiphon_server.auth.ports import SigningKeyStore
from antiphon_server.auth.service.signing_keys import KeySettings, SigningKeys, thumbprint
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import Reason
from tests.auth.asked import Asked
from tests.auth.nodes import Node, node
from tests.auth.revocations import refused
from tests.auth.test_tokens import OTHER_KEY, header, segments
from tests.auth.world import OPERATOR, World, contents, reason, valid_kids
from tests.e2e.until import until

SECRET = MasterSecret(b"s" * 32)


def keys_of(
    world: World, store: SigningKeyStore | None = None, settings: KeySettings | None = None
) -> SigningKeys:
    """The keys as another process holds them."""
    events, stored = world.recording.security_events, store or world.stores.signing_keys
    return SigningKeys(stored, SECRET, events, world.clock, 900, settings)


async def test_rotation_refuses_no_valid_token(world: World) -> None:
    """Old tokens live out their time under a new key; then the old key is dead and gone."""
    await world.user()
    tokens, kids = [], set()
    for _ in range(3):
        tokens.append((await world.login()).tokens.access_token)
        kids |= {key.kid for key in world.tokens.signing_keys.valid()}
        await world.tokens.signing_keys.rotate()
        for token in tokens:
            await world.verify(token)
            world.auth.verifier.forget()
    assert len(kids) == 3
    world.clock.time += TokenSettings().longest_life
    assert len(world.tokens.signing_keys.valid()) == 1
    world.auth.verifier.forget()
    for token in tokens:
        assert await reason(world.verify(token)) is Reason.TOKEN_INVALID
    await world.tokens.signing_keys.rotate()
    now = int(world.clock() * 1_000_000)
    assert len(await world.stores.signing_keys.list_valid(0)) == 2
    assert len(await world.stores.signing_keys.list_valid(now)) == 2


async def test_keys_survive_a_restart(world: World) -> None:
    """Tokens of the process before are good, and the same key goes on signing."""
    token = (await world.newcomer()).tokens.access_token
    kid = world.tokens.signing_keys.signer()[0]
    await world.restart()
    await world.verify(token)
    assert world.tokens.signing_keys.signer()[0] == kid


async def test_the_private_part_is_sealed(world: World, tmp_path: Path) -> None:
    """Neither the store nor the files of the database hold the private key."""
    private = world.tokens.signing_keys.signer()[1].private_bytes_raw()
    (stored,) = await world.stores.signing_keys.list_valid(0)
    assert private not in stored.sealed_private_key
    assert "private" not in repr(world.tokens.signing_keys.valid()[0]).replace("sealed_private", "")
    assert private not in contents(tmp_path)
    assert MasterSecret(b"x" * 32).open(stored.sealed_private_key, "signing keys") is None


def test_a_key_is_named_by_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    x = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


async def test_a_compromised_key_dies_at_once(world: World) -> None:
    """Its tokens are refused though they were remembered; a refresh buys one that works."""
    pair = (await world.newcomer()).tokens
    service = world.tokens.access_tokens.for_service("context")[0]
    await world.verify(pair.access_token)
    withdrawn: list[bool] = []
    world.tokens.signing_keys.on_withdrawn(lambda: withdrawn.append(True))
    kid = await world.tokens.key_rotation.rotate(compromised=True)
    assert [key.kid for key in world.tokens.signing_keys.valid()] == [kid]
    assert withdrawn == [True]
    for dead in (pair.access_token, service):
        assert await reason(world.verify(dead)) is Reason.TOKEN_INVALID
    newer = await world.refresh(pair.refresh_token)
    await world.verify(newer.access_token)
    await world.verify(world.tokens.access_tokens.for_service("context")[0])


async def test_rotation_is_accounted_for(world: World) -> None:
    """The event names the new key and those before it."""
    before = valid_kids(world.tokens.signing_keys)
    kid = await world.tokens.key_rotation.rotate(compromised=False)
    (event,) = await world.stores.security_events.before(None, ALL, 1)
    recorded = SecurityEventMessage.FromString(event.body).signing_keys_rotated
    assert (recorded.kid, frozenset(recorded.retired)) == (kid, before)
    (fresh,) = [key for key in world.tokens.signing_keys.valid() if key.kid == kid]
    assert recorded.public_key == fresh.x


async def test_the_trail_tells_which_key_replaced_which(world: World) -> None:
    """Of rotations at once each retires the one before; a key is retired once, by any process."""
    (first,) = valid_kids(world.tokens.signing_keys)
    another = keys_of(world)
    await another.reload()
    await asyncio.gather(*(world.tokens.signing_keys.rotate() for _ in range(2)))
    await another.rotate(compromised=True)
    events = await world.stores.security_events.after(0, ALL, 9)
    told = [SecurityEventMessage.FromString(event.body).signing_keys_rotated for event in events]
    retired = [list(one.retired) for one in told[-3:]]
    assert retired == [[first], [told[-3].kid], [told[-2].kid]]


async def test_keys_rotate_when_they_are_old(world: World) -> None:
    """Not a moment before; after years of downtime once, and a second process does not again."""
    keys = world.tokens.signing_keys
    first = keys.signer()[0]
    world.clock.time += 30 * 86_400 - 1
    await keys.rotate_if_due()
    assert keys.signer()[0] == first
    world.clock.time += 1
    other = keys_of(world)
    await other.reload()
    await keys.rotate_if_due()
    second = keys.signer()[0]
    assert second != first
    assert await other.rotate_if_due() is None
    assert valid_kids(other) == valid_kids(keys)
    world.clock.time += 5 * 365 * 86_400
    await keys.rotate_if_due()
    await keys.rotate_if_due()
    assert keys.signer()[0] not in (first, second)
    assert len(keys.valid()) == 2


async def test_a_new_key_is_known_to_all_before_it_signs(world: World) -> None:
    """Among several processes it signs two seconds later, unless the old one is compromised."""
    keys = keys_of(world, settings=KeySettings(shared=True))
    await keys.rotate(compromised=True)
    first = keys.signer()[0]
    world.clock.time += 1
    second = await keys.rotate()
    assert keys.signer()[0] == first
    assert {first, second} <= valid_kids(keys)
    world.clock.time += 2
    assert keys.signer()[0] == second
    assert valid_kids(keys) >= {first}
    world.clock.time += 900 + 60 - 2
    assert valid_kids(keys) == frozenset({second})
    third = await keys.rotate(compromised=True)
    assert keys.signer()[0] == third


async def test_a_late_answer_brings_no_withdrawn_key_back(world: World) -> None:
    """What was read before a rotation is not believed after it, whichever answer comes first."""
    store = SqlSigningKeys(world.database)
    late = Asked(store, "list_valid", late=True)
    keys = keys_of(world, store)
    looks = [asyncio.create_task(keys.reload())]
    await late.found.wait()
    kid = await world.tokens.signing_keys.rotate(compromised=True)
    looks.append(asyncio.create_task(keys.reload()))
    for _ in range(3):
        await world.stores.signing_keys.list_valid(0)  # as long as the second look would take
    late.answer.set()
    await asyncio.gather(*looks)
    assert valid_kids(keys) == {kid}


async def test_unknown_keys_cost_one_look_a_second(world: World) -> None:
    """A flood of tokens of unknown keys asks the store once; a new key's token is good then."""
    await world.user()
    asked = Asked(world.stores.signing_keys, "list_valid")
    keys = keys_of(world, settings=KeySettings(shared=True))
    verifier = world.verifier(reader=TokenReader(keys, TokenSettings()), keys=keys)
    good = (await world.login()).tokens.access_token
    forged = [header(kid=f"k{n}")(*segments(good), OTHER_KEY) for n in range(300)]
    refusals = await asyncio.gather(*(reason(verifier.verify(token)) for token in forged))
    assert set(refusals) == {Reason.TOKEN_INVALID}
    assert asked.times == 1
    await verifier.verify(good)
    assert asked.times == 1


def done(tasks: list[asyncio.Task[None]]) -> bool:
    """Whether one has ended, which is a failure here: awaiting it says why."""
    return any(task.done() for task in tasks)


async def test_twenty_rotations_under_load_refuse_nothing(tmp_path: Path) -> None:
    """Two nodes, one rotates while both take the tokens that either has just signed."""
    refusals, taken, stopping = 0, 0, asyncio.Event()
    async with node(tmp_path) as here, node(tmp_path) as there:
        user = await here.auth.accounts.users.create(OPERATOR, NewUser("ann"))
        first, kids = here.auth.tokens.signing_keys.signer()[0], set()

        async def load(signs: Node, takes: Node) -> None:
            nonlocal refusals, taken
            pair = (
                await signs.auth.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))
            ).tokens
            while not stopping.is_set():
                pair = await signs.auth.accounts.sessions.refresh(pair.refresh_token)
                kids.add(jwt.get_unverified_header(pair.access_token)["kid"])
                for one in (signs, takes):
                    taken += 1
                    refusals += not await one.who_am_i(pair.access_token)
                await asyncio.sleep(0.005)

        def reached(number: int) -> bool:
            return taken >= number or done(loads)

        loads = [asyncio.create_task(load(*pair)) for pair in ((here, there), (there, here))]
        for number in range(20):
            enough = taken + 1
            newest = await (here, there)[number % 2].auth.tokens.signing_keys.rotate()
            await until(partial(reached, enough))
        await until(lambda: newest in kids or done(loads))
        stopping.set()
        await asyncio.gather(*loads)
        assert valid_kids(there.auth.tokens.signing_keys) == valid_kids(
            here.auth.tokens.signing_keys
        )
        assert len(valid_kids(here.auth.tokens.signing_keys)) == 21
        assert {first, newest} <= kids
    assert refusals == 0


async def test_a_compromised_key_dies_on_every_node(tmp_path: Path) -> None:
    """The other node refuses its tokens and ends its streams."""
    async with node(tmp_path) as here, node(tmp_path) as there:
        user = await here.auth.accounts.users.create(OPERATOR, NewUser("ann"))
        await there.auth.tokens.signing_keys.reload()
        pair = (await here.auth.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))).tokens
        frames = await there.follow(user.user_id, pair.access_token)
        assert await there.who_am_i(pair.access_token)
        await here.auth.tokens.key_rotation.rotate(compromised=True)
        async with asyncio.timeout(30):
            await refused(there, pair.access_token)
            assert (await anext(frames)).HasField("ended")
        newer = await there.auth.accounts.sessions.refresh(pair.refresh_token)
        assert await here.who_am_i(newer.access_token)
