"""Devices that wait for their person have only so much room, which nobody takes from others."""

import asyncio
from dataclasses import replace
from pathlib import Path

from antiphon_server.auth.model.device_logins import (
    MOST_KEPT_OF_USER,
    DeviceLogin,
    DeviceLoginState,
    crowding,
)
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.auth.service.device_logins import MOST, MOST_OF_ADDRESS
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import Reason
from tests.auth.test_device_logins import claim, decide, person, start
from tests.auth.world import World, contents, error, open_world, reason


async def test_waiting_devices_are_bounded(world: World) -> None:
    """So many of one address and so many in all; expired ones make room."""
    for _ in range(MOST_OF_ADDRESS):
        await start(world)
    refused = await error(start(world))
    assert refused.reason is Reason.OVERLOADED
    assert refused.retry_after
    world.clock.time += 600
    await start(world)


async def test_a_refused_device_costs_no_write(tmp_path: Path) -> None:
    """Strangers who are refused make the disk write nothing."""
    world = await open_world(tmp_path)
    for _ in range(MOST_OF_ADDRESS):
        await start(world)
    before = contents(tmp_path, "test.db-wal")
    for _ in range(10):
        assert await reason(start(world)) is Reason.OVERLOADED
    assert contents(tmp_path, "test.db-wal") == before
    await start(world, "192.0.2.1")
    assert contents(tmp_path, "test.db-wal") != before
    await world.close()


async def test_a_flood_pushes_out_itself(world: World) -> None:
    """From 60 networks of one region: who came before and who comes after are signed in."""
    ann = await person(world)
    before = [await start(world), await start(world, "2001:db8:1:1::/64")]
    await decide(world, ann, before[0].user_code)
    networks = (f"2001:db8:{number % 60:x}::/64" for number in range(MOST + 50))
    await asyncio.gather(*(start(world, network) for network in networks))
    after = await start(world, "2001:db9::/64")
    for started in (before[1], after):
        await decide(world, ann, started.user_code)
    for started in (*before, after):
        await claim(world, started)


def test_room_is_made_where_most_ask() -> None:
    """The oldest of the address with most, in the region with most; never who was let in."""
    asked = [
        login("192.0.2.1", 1),
        login("198.51.100.1", 2),
        login("198.51.200.1", 3),
        login("198.51.200.1", 4),
    ]
    assert crowding(asked) == asked[2]
    assert crowding(asked[:2] + asked[3:]) == asked[1]
    assert crowding([replace(it, state=DeviceLoginState.APPROVED) for it in asked]) is None


def test_nobody_keeps_all_the_room() -> None:
    """Of those whom one user has let in, the newest 20 stay whoever else comes."""
    let_in = [
        replace(login(f"192.0.2.{number}", number), state=DeviceLoginState.APPROVED, user_id=user)
        for number, user in enumerate([UserId("user_eve"), UserId("user_ann")] * MOST_KEPT_OF_USER)
    ]
    assert crowding(let_in) is None
    oldest = replace(let_in[0], create_time=-1)
    assert crowding([*let_in, oldest]) == oldest


async def test_one_makes_room_for_another(world: World) -> None:
    """In the store, too; unless all were let in."""
    store = world.stores.device_logins
    for number in range(4):
        assert await store.add(login(f"address {number}", number), 3, 1)
    found = [await store.find(login("", number).user_hash) is not None for number in range(4)]
    assert found == [False, True, True, True]

    def approve(login: DeviceLogin) -> tuple[DeviceLogin, bool]:
        return replace(login, state=DeviceLoginState.APPROVED), True

    for number in range(1, 4):
        assert await store.change(login("", number).device_hash, approve, unrecorded)
    assert not await store.add(login("address 4", 4), 3, 1)


def login(address: str, create_time: int) -> DeviceLogin:
    """A device that asked from there and then."""
    unique = bytes(31) + bytes([create_time])
    return DeviceLogin(unique, unique, "", address, create_time, 99)
