"""The trail of a real server: across services, and across kills."""

import asyncio
import contextlib
import itertools
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from antiphon.auth.v1 import access_pb2, audit_pb2
from antiphon.auth.v1.audit_service_pb2 import SecurityEventFilter
from antiphon.auth.v1.auth_service_pb2 import CreateApiKeyRequest
from antiphon_client import AntiphonError, Client, Password
from antiphon_client.errors import PermissionDenied
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S

PASSWORD = "a long enough password"
KILLS = 2


async def happened(
    client: Client, *kinds: "audit_pb2.SecurityEventKind.ValueType"
) -> list[audit_pb2.SecurityEvent]:
    """Events of these kinds, the oldest first."""
    which = SecurityEventFilter(kinds=kinds)
    return [event async for event in client.list_security_events(which)][::-1]


async def test_roles_refusals_and_alarms_reach_the_trail(tmp_path: Path) -> None:
    """What other services decide is recorded, and counted."""
    variables = {"ANTIPHON_ALARMS": '{"refusals_of_actor": 1}'}
    async with ServerProcess(tmp_path, variables=variables) as server, server.client() as boss:
        ann = await boss.create_user("ann", PASSWORD)
        conversation = await boss.create_conversation("talk")
        resource = conversation.conversation_id
        await boss.add_member(resource, ann.user_id, access_pb2.ROLE_VIEWER)
        changed = audit_pb2.SECURITY_EVENT_KIND_ROLE_CHANGED
        async with asyncio.timeout(60):  # an answer waits for it, but not for a busy machine
            while not await happened(boss, changed):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        (event,) = await happened(boss, changed)
        change = event.role_changed
        assert (event.user_id, change.resource) == (ann.user_id, resource)
        assert (change.before, change.after) == (
            access_pb2.ROLE_UNSPECIFIED,
            access_pb2.ROLE_VIEWER,
        )
        assert event.actor.startswith("users/user_")
        assert event.session_id.startswith("sess_")
        assert event.address == "127.0.0.1"
        async with server.client(Password("ann", PASSWORD)) as client:  # type: ignore[arg-type]
            for _ in range(4):
                with pytest.raises(PermissionDenied):
                    await client.create_user("eve")
            own = [one async for one in client.list_security_events()]
            assert {one.user_id for one in own if one.actor == f"users/{ann.user_id}"}
            assert all(ann.user_id in (one.user_id, one.actor[6:]) for one in own)
        refused = audit_pb2.SECURITY_EVENT_KIND_ACCESS_REFUSED
        alarm = audit_pb2.SECURITY_EVENT_KIND_ALARM_RAISED
        async with asyncio.timeout(SOON_S):
            while len(await happened(boss, refused, alarm)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        first, second = await happened(boss, refused, alarm)
        assert first.access_refused.rpc == "/antiphon.auth.v1.AuthService/CreateUser"
        assert second.alarm_raised.subject == first.actor == f"users/{ann.user_id}"
        assert (await boss.verify_security_events()).fault == 0


async def test_what_was_answered_is_recorded_across_kills(tmp_path: Path) -> None:
    """Killed at any moment, the trail has every change that was answered, and is whole.

    Of keys, which the same transaction tells, and of roles, which another service does: of these
    each event begins where the one before has ended, so none is missing and none is told twice.
    """
    chance = random.Random(3)
    answered: set[str] = set()
    kept = ""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            ann = (await client.create_user("ann", PASSWORD)).user_id
            resource = (await client.create_conversation("talk")).conversation_id
            await client.add_member(resource, ann, access_pb2.ROLE_VIEWER)
        for _ in range(KILLS):
            async with server.client() as client:
                making = [asyncio.create_task(_make_keys(client, answered)) for _ in range(4)]
                making.append(asyncio.create_task(_change_roles(client, resource, ann)))
                await asyncio.sleep(0.3 + chance.random() / 2)
                kept = (await client.audit_head()).signature
                await asyncio.sleep(chance.random() / 10)
                await server.kill()
                for task in making:
                    task.cancel()
                await asyncio.gather(*making, return_exceptions=True)
            await server.start()
        async with server.client() as client:
            created = await happened(client, audit_pb2.SECURITY_EVENT_KIND_API_KEY_CREATED)
            recorded = {event.api_key_created.key_id for event in created}
            changed = await happened(client, audit_pb2.SECURITY_EVENT_KIND_ROLE_CHANGED)
            held = [one async for one in client.list_members(resource) if one.user_id == ann]
            verdict = await client.verify_security_events(kept)
        assert verdict.fault == 0
        assert answered <= recorded
        assert len(answered) > KILLS
    steps = [(event.role_changed.before, event.role_changed.after) for event in changed]
    assert [before for before, _ in steps] == [0, *(after for _, after in steps[:-1])]
    assert steps[-1][1] == held[0].role
    assert len(steps) > KILLS
    with closing(sqlite3.connect(server.data_dir / "antiphon.db")) as database:
        stored = {row[0] for row in database.execute("SELECT key_id FROM auth_api_keys")}
    assert stored == recorded


async def _make_keys(client: Client, answered: set[str]) -> None:
    """Make keys until the server is gone; note those that were answered."""
    with contextlib.suppress(AntiphonError):
        for _ in range(20):
            answer = await client._caller.call(
                client._auth.CreateApiKey, CreateApiKeyRequest(label="x")
            )
            answered.add(answer.api_key.key_id)
            await asyncio.sleep(0.01)


async def _change_roles(client: Client, resource: str, user_id: str) -> None:
    """Change somebody's role to and fro until the server is gone."""
    roles = itertools.cycle((access_pb2.ROLE_MEMBER, access_pb2.ROLE_VIEWER))
    with contextlib.suppress(AntiphonError):
        while True:
            await client.update_member(resource, user_id, next(roles))
