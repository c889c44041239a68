"""All that is done and recorded at once, each act with the store's method that does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model import KeyId, LoginMethod, Origin, SignedIn, User
from antiphon_server.auth.model.identities import ProviderName, Vouched
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.access.principal import Principal, set_principal
from tests.auth.world import OPERATOR, PASSWORD, World

ISSUER = "https://idp.example"
PROVIDER = IdentityProviderSettings(name="corp", issuer=ISSUER, client_id="antiphon")
NEW_PASSWORD = "another one entirely"
LAB = "ws_00000lab"
MONTH_S = 31 * 86_400
COUNTED_BEFORE = "auth_attempts"
"""What was tried is counted whatever comes of it."""
REFUSE = """CREATE TRIGGER full BEFORE INSERT ON auth_security_events
    BEGIN SELECT RAISE(ABORT, 'the trail is full'); END"""


def vouched(subject: str) -> Vouched:
    """Whom the provider knows by that name."""
    return Vouched(ProviderName("corp"), ISSUER, subject, (subject,), subject)


class Scene:
    """A user with a session, a key, an identity, a profile, a reset, and two devices that ask."""

    world: World
    user: User
    session: SignedIn
    used_up: str
    key: KeyId
    reset: str
    asking: str
    let_in: str

    async def set_up(self, world: World) -> None:
        """Make all that."""
        set_principal(OPERATOR)
        self.world, auth = world, world.auth
        await auth.accounts.users.create(OPERATOR, NewUser("root", operator=True))
        self.user = await world.user()
        self.used_up = (await world.login()).tokens.refresh_token
        following = (await world.refresh(self.used_up)).refresh_token
        await world.refresh(following)
        self.session = await world.login()
        key, _ = await auth.accounts.api_keys.create(self.user.user_id, "ci", None)
        self.key = key.key_id
        self.reset, _ = await auth.accounts.password_resets.create(self.user.user_id)
        self.asking = (await auth.signing_in.device_logins.start("tv", "")).user_code
        started = await auth.signing_in.device_logins.start("radio", "")
        await auth.signing_in.device_decisions.decide(await self.caller(), started.user_code, True)
        self.let_in = started.device_code
        await self.link("known")
        for where in ("", LAB):
            await auth.accounts.profiles.update(self.user.user_id, where, {"call_name": "Ann"}, "")

    async def link(self, subject: str) -> None:
        """Let the provider's subject sign the user in."""
        provider = self.world.signing_in.provider_login.provider("corp")
        await self.world.signing_in.identity_links.link(self.user.user_id, provider, "", subject)

    async def in_the_database(self, statement: str) -> None:
        """Have the database itself do something."""
        await self.world.database.write(lambda connection: connection.execute(text(statement)))

    async def caller(self) -> Principal:
        """Whoever has the session."""
        return await self.world.verify(self.session.tokens.access_token)

    async def refuse(self) -> None:
        """From now on the trail takes nothing."""
        await self.in_the_database(REFUSE)

    async def accept(self) -> None:
        """Whatever is recorded is taken again."""
        await self.in_the_database("DROP TRIGGER full")

    async def rows(self) -> dict[str, Any]:
        """All that the stores hold."""
        return await self.world.database.read(_rows)


def _rows(connection: Connection) -> dict[str, list[object]]:
    tables = [table for table in metadata.sorted_tables if table.name != COUNTED_BEFORE]
    return {
        table.name: list(connection.execute(select(table).order_by(*table.primary_key)))
        for table in tables
    }


@dataclass(frozen=True, slots=True)
class Act:
    """What is done, and by which method of which store."""

    store: str
    method: str
    do: Callable[[Scene], Awaitable[object]]


async def _evict(it: Scene) -> None:
    await it.world.accounts.sessions.open(it.user, Origin(LoginMethod.PASSWORD), most=1)


async def _sign_out(it: Scene) -> None:
    await it.world.accounts.sessions.revoke(await it.caller(), it.session.tokens.session_id)


async def _revoke_all(it: Scene) -> None:
    await it.world.accounts.sessions.revoke_all(OPERATOR, it.user.user_id, api_keys=True)


async def _change_password(it: Scene) -> None:
    change, known = it.world.accounts.password_changes.change, "192.0.2.1"
    await change(await it.caller(), PASSWORD, NEW_PASSWORD, known)


async def _decide(it: Scene) -> None:
    await it.world.signing_in.device_decisions.decide(await it.caller(), it.asking, True)


async def _expire(it: Scene) -> None:
    it.world.clock.time += MONTH_S
    for _ in range(2):
        await it.world.auth.background.expirations.look()


async def _rotate_in_time(it: Scene) -> None:
    it.world.clock.time += MONTH_S
    await it.world.tokens.key_rotation.rotate_if_due()


async def _update(it: Scene, wishes: Wishes) -> None:
    await it.world.accounts.user_updates.update(it.user.user_id, wishes)


async def _sign_up(it: Scene) -> None:
    await it.world.signing_in.provider_login._identities.user_of(vouched("eve"), sign_up=True)


async def _open(it: Scene) -> None:
    await it.world.accounts.sessions.open(it.user, Origin(LoginMethod.PASSWORD))


ACTS: dict[str, Act] = {
    "open": Act("sessions", "add", _open),
    "evict": Act("sessions", "add", _evict),
    "claim": Act("sessions", "add", lambda it: it.world.signing_in.device_logins.claim(it.let_in)),
    "reuse": Act("sessions", "change", lambda it: it.world.refresh(it.used_up)),
    "sign out": Act("sessions", "change", _sign_out),
    "revoke": Act(
        "sessions",
        "change",
        lambda it: it.world.accounts.sessions.revoke(OPERATOR, it.session.tokens.session_id),
    ),
    "revoke all": Act("sessions", "end_all", _revoke_all),
    "expire": Act("sessions", "expire", _expire),
    "make a key": Act(
        "api_keys",
        "add",
        lambda it: it.world.accounts.api_keys.create(it.user.user_id, "", None),
    ),
    "revoke a key": Act("api_keys", "revoke", lambda it: it.world.accounts.api_keys.revoke(it.key)),
    "create": Act("users", "add", lambda it: it.world.user("bob", "")),
    "disable": Act("users", "change", lambda it: _update(it, Wishes(disabled=True))),
    "promote": Act("users", "change", lambda it: _update(it, Wishes(operator=True))),
    "change": Act("users", "change", _change_password),
    "reset": Act(
        "users",
        "change",
        lambda it: it.world.accounts.password_resets.use(it.reset, NEW_PASSWORD),
    ),
    "make a reset": Act(
        "password_resets",
        "put",
        lambda it: it.world.accounts.password_resets.create(it.user.user_id),
    ),
    "decide": Act("device_logins", "change", _decide),
    "sign up": Act("identities", "sign_up", _sign_up),
    "link": Act("identities", "add", lambda it: it.link("other")),
    "unlink": Act(
        "identities",
        "remove",
        lambda it: it.world.signing_in.identity_links.unlink(ISSUER, "known"),
    ),
    "be called": Act(
        "profiles",
        "change",
        lambda it: it.world.accounts.profiles.update(
            it.user.user_id, "", {"call_name": "Anna"}, ""
        ),
    ),
    "be called nothing": Act(
        "profiles",
        "delete_all",
        lambda it: it.world.accounts.profiles.delete_all(it.user.user_id),
    ),
    "erase a workspace": Act(
        "profiles",
        "delete_in",
        lambda it: it.world.accounts.profiles.delete_in(LAB),
    ),
    "rotate": Act(
        "signing_keys",
        "rotate",
        lambda it: it.world.tokens.key_rotation.rotate(compromised=True),
    ),
    "rotate in time": Act("signing_keys", "rotate", _rotate_in_time),
}
