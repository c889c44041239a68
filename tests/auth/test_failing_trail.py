"""An act and the events that tell of it are there together, or neither is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from antiphon_server.auth.model import KeyId, LoginMethod, Origin, SignedIn, User
from antiphon_server.auth.model.chain import ALL, SealedEvent
from antiphon_server.auth.model.identities import ProviderName, Vouched
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import Principal, SessionId, UserId, set_principal
from tests.auth.test_recorded import kinds
from tests.auth.world import OPERATOR, PASSWORD, World, open_world, reason

REFUSE = """CREATE TRIGGER full BEFORE INSERT ON auth_security_events
    BEGIN SELECT RAISE(ABORT, 'the trail is full'); END"""
EVE = Vouched(ProviderName("corp"), "https://idp.example", "s", ("eve",), "Eve")


class Scene:
    """A user with a session, a key and an identity, while the trail takes nothing."""

    world: World
    user: User
    session: SignedIn
    used_up: str
    key: KeyId
    reset: str
    device: str

    async def set_up(self, world: World) -> None:
        """Make all that, and have the trail refuse everything."""
        set_principal(OPERATOR)
        self.world, auth = world, world.auth
        await auth.users.create(OPERATOR, NewUser("root", operator=True))
        self.user = await world.user()
        self.used_up = (await world.login()).tokens.refresh_token
        following = (await auth.sessions.refresh(self.used_up)).refresh_token
        await auth.sessions.refresh(following)
        self.session = await world.login()
        key, _ = await auth.api_keys.create(self.user.user_id, "ci", None)
        self.key = key.key_id
        self.reset, _ = await auth.password_resets.create(self.user.user_id)
        self.device = (await auth.device_logins.start("tv", "")).user_code
        await self.in_the_database(REFUSE)

    async def in_the_database(self, statement: str) -> None:
        """Have the database itself do something."""
        database = self.world.database
        assert database is not None
        await database.write(lambda connection: connection.execute(text(statement)))

    async def caller(self) -> Principal:
        """Whoever has the session."""
        return await self.world.auth.verifier.verify(self.session.tokens.access_token)

    async def state(self) -> list[object]:
        """All that the acts below would change."""
        stores, user_id = self.world.stores, self.user.user_id
        sessions = await stores.sessions.list_live(user_id, 0, None, 100)
        return [
            await stores.users.list_named("", "", 100),
            [(one.session_id, one.end_time) for one in sessions],
            await stores.api_keys.list_keys(user_id, None, 100),
            await stores.identities.find(EVE.issuer, EVE.subject),
            await stores.signing_keys.list_valid(0),
            await stores.endings.last(),
        ]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """The scene, in a database: what is kept in memory can't fail half-way."""
    made = Scene()
    await made.set_up(await open_world(tmp_path, sqlite=True))
    yield made
    await made.world.close()


async def _change_password(scene: Scene) -> None:
    caller = await scene.caller()
    await scene.world.auth.password_changes.change(caller, PASSWORD, "another one entirely", "")


async def _decide(scene: Scene) -> None:
    await scene.world.auth.device_decisions.decide(await scene.caller(), scene.device, True)


ACTS: dict[str, Callable[[Scene], Awaitable[object]]] = {
    "open": lambda it: it.world.auth.sessions.open(it.user, Origin(LoginMethod.PASSWORD)),
    "reuse": lambda it: it.world.auth.sessions.refresh(it.used_up),
    "revoke": lambda it: it.world.auth.sessions.revoke(OPERATOR, it.session.tokens.session_id),
    "revoke all": lambda it: it.world.auth.sessions.revoke_all(OPERATOR, it.user.user_id),
    "make a key": lambda it: it.world.auth.api_keys.create(it.user.user_id, "", None),
    "revoke a key": lambda it: it.world.auth.api_keys.revoke(it.key),
    "create": lambda it: it.world.auth.users.create(OPERATOR, NewUser("bob")),
    "disable": lambda it: it.world.auth.user_updates.update(it.user.user_id, Wishes(disabled=True)),
    "promote": lambda it: it.world.auth.user_updates.update(it.user.user_id, Wishes(operator=True)),
    "change": _change_password,
    "make a reset": lambda it: it.world.auth.password_resets.create(it.user.user_id),
    "reset": lambda it: it.world.auth.password_resets.use(it.reset, "another one entirely"),
    "decide": _decide,
    "sign up": lambda it: it.world.auth.provider_login._identities.user_of(EVE, sign_up=True),
    "rotate": lambda it: it.world.auth.key_rotation.rotate(compromised=True),
}


@pytest.mark.parametrize("act", ACTS)
async def test_what_can_not_be_recorded_does_not_happen(scene: Scene, act: str) -> None:
    """Nothing of it is there; once the trail takes events again, the same is done and recorded."""
    before, recorded = await scene.state(), await kinds(scene.world)
    with pytest.raises((IntegrityError, DomainError)):
        await ACTS[act](scene)
    assert await scene.state() == before
    assert await kinds(scene.world) == recorded
    await scene.in_the_database("DROP TRIGGER full")
    if act == "reuse":
        assert await reason(ACTS[act](scene)) is Reason.SESSION_REVOKED
    else:
        await ACTS[act](scene)
    assert len(await kinds(scene.world)) > len(recorded)


async def test_nobody_is_told_of_what_did_not_happen(scene: Scene) -> None:
    """Neither alarms, metrics and watches nor the streams of the session hear of it."""
    heard: list[tuple[SecurityEvent, SealedEvent]] = []
    scene.world.auth.security_events.on_event(lambda *event: heard.append(event))
    with pytest.raises(IntegrityError):
        await ACTS["disable"](scene)
    await scene.caller()
    assert (heard, scene.world.events.told) == ([], [])


async def test_an_event_names_who_called(world: World) -> None:
    """Though a store's thread writes it, and another call may be in hand by then."""
    user = await world.user()
    caller = Principal("user", UserId("user_other"), SessionId("sess_other"), operator=True)
    set_principal(caller)
    await world.auth.user_updates.update(user.user_id, Wishes(disabled=True))
    newest = (await world.stores.security_events.before(None, ALL, 1))[0]
    assert newest.actor == "users/user_other"
