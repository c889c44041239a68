"""The auth service as it runs, with a clock that stands still and cheap hashes."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import pytest
from argon2 import Parameters
from argon2.profiles import CHEAPEST

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.compose.accounts import Accounts
from antiphon_server.auth.compose.auth import Auth, compose_auth
from antiphon_server.auth.compose.other_servers import OtherServers
from antiphon_server.auth.compose.recording import Recording
from antiphon_server.auth.compose.signing_in import SigningIn
from antiphon_server.auth.compose.tokens import Tokens
from antiphon_server.auth.model import SignedIn, TokenPair, User, UserKind
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import ServerSecret, Stores
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.local_operator import Living, nobody
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.users import NewUser
from antiphon_server.auth.service.verifier import StoredSessions, Verifier
from antiphon_server.auth.settings import OF_PROVIDERS, AuthSettings
from antiphon_server.installation import NAMES
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.databases import make_sqlite
from tests.fakes.session_events import MemorySessionEvents

OPERATOR = Principal("user", UserId("user_operator"), SessionId("sess_operator"), operator=True)
PASSWORD = "correct horse battery"
DATABASE = "test.db"


class FakeClock:
    """Unix time that moves when told to."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.25

    def __call__(self) -> float:
        return self.time


class Setup(TypedDict, total=False):
    """What a test may want to be otherwise."""

    parameters: Parameters
    most_waiting: int
    identity_providers: Sequence[IdentityProviderSettings]
    provider_breaker: Limits
    secret: ServerSecret | None
    tokens: TokenSettings
    sessions: SessionSettings
    node: str
    living: Living


USUAL: Setup = {
    "parameters": CHEAPEST,
    "most_waiting": 1_000,
    "identity_providers": (),
    "provider_breaker": OF_PROVIDERS,
    "secret": None,
    "tokens": TokenSettings(),
    "sessions": SessionSettings(),
    "node": "",
    "living": nobody,
}


class World:
    """An auth service as a process has it, and what that stands on.

    The clock, the event log and a database that was given live longer than the process.
    """

    auth: Auth
    stores: Stores
    hasher: Argon2Pool
    database: Database

    def __init__(self, data_dir: Path, clock: FakeClock, given: Database | None) -> None:
        self.clock = clock
        self.events = MemorySessionEvents()
        self._data_dir = data_dir
        self._given = given
        self._setup = USUAL

    async def start(self, **changes: Unpack[Setup]) -> None:
        """Begin as a process does. Raises what keeps one from starting."""
        setup = self._setup = {**self._setup, **changes}
        self.database = self._given or await self._own_database()
        self.stores = sql_stores(self.database)
        self.hasher = Argon2Pool(setup["parameters"], most_waiting=setup["most_waiting"])
        settings = AuthSettings(
            tokens=setup["tokens"],
            sessions=setup["sessions"],
            identity_providers=setup["identity_providers"],
            provider_breaker=setup["provider_breaker"],
            services=NAMES,
        )
        self.auth = compose_auth(
            self.stores,
            self.events,
            self._data_dir,
            settings,
            OtherServers(node=setup["node"], living=setup["living"]),
            hasher=self.hasher,
            clock=self.clock,
            secret=setup["secret"],
        )
        await self.auth.start()

    async def _own_database(self) -> Database:
        file = self._data_dir / DATABASE
        await make_sqlite(file, metadata)
        return SqliteDatabase(file)

    async def restart(self, **changes: Unpack[Setup]) -> None:
        """End this process and begin the next one, with these changes to its setup."""
        await self.close()
        await self.start(**changes)

    async def close(self) -> None:
        """Stop what runs."""
        await self.auth.close()
        if self._given is None:
            await self.database.close()

    @property
    def accounts(self) -> Accounts:
        """Who has an account, where they are signed in, and with what they can."""
        return self.auth.accounts

    @property
    def signing_in(self) -> SigningIn:
        """The ways in."""
        return self.auth.signing_in

    @property
    def tokens(self) -> Tokens:
        """The keys, and who signs and verifies with them."""
        return self.auth.tokens

    @property
    def recording(self) -> Recording:
        """The log of security events."""
        return self.auth.recording

    def verifier(
        self,
        liveness: Liveness | None = None,
        reader: TokenReader | None = None,
        keys: SigningKeys | None = None,
        most: int = 1_000,
    ) -> Verifier:
        """One of another process on the same store, which has seen nothing yet."""
        return Verifier(
            reader or self.tokens.access_tokens,
            keys or self.tokens.signing_keys,
            StoredSessions(self.stores.sessions),
            liveness or Liveness(),
            self.clock,
            most,
        )

    async def user(
        self,
        name: str = "ann",
        password: str = PASSWORD,
        *,
        operator: bool = False,
        kind: UserKind = UserKind.PERSON,
    ) -> User:
        """Make an account."""
        new = NewUser(name, password, operator=operator, kind=kind)
        return await self.accounts.users.create(OPERATOR, new)

    async def login(self, name: str = "ann", password: str = PASSWORD) -> SignedIn:
        """Sign in from one address."""
        return await self.signing_in.login.by_password(name, password, "test", "192.0.2.1")

    async def newcomer(self, name: str = "ann") -> SignedIn:
        """Make an account and sign in."""
        await self.user(name)
        return await self.login(name)

    async def caller(self, name: str = "ann") -> Principal:
        """Sign in, and call."""
        return await self.verify((await self.login(name)).tokens.access_token)

    async def login_by_key(self, secret: str, device: str = "ci") -> SignedIn:
        """Sign in by an API key."""
        return await self.signing_in.login.by_api_key(secret, device)

    async def verify(self, access_token: str) -> Principal:
        """Call with a token."""
        return await self.auth.verifier.verify(access_token)

    async def refresh(self, refresh_token: str, address: str = "") -> TokenPair:
        """Buy the next pair of tokens."""
        return await self.accounts.sessions.refresh(refresh_token, address)


async def open_world(
    data_dir: Path,
    *,
    database: Database | None = None,
    clock: FakeClock | None = None,
    **setup: Unpack[Setup],
) -> World:
    """The auth service on the data directory, or on a database that others use as well."""
    world = World(data_dir, clock or FakeClock(), database)
    await world.start(**setup)
    return world


def valid_kids(keys: SigningKeys) -> frozenset[str]:
    """The ids of the keys whose tokens are accepted now."""
    return frozenset(key.kid for key in keys.valid())


async def reason(attempt: Awaitable[object]) -> Reason:
    """Why the attempt was refused."""
    return (await error(attempt)).reason


async def error(attempt: Awaitable[object]) -> DomainError:
    """How the attempt was refused."""
    with pytest.raises(DomainError) as caught:
        await attempt
    return caught.value


def contents(folder: Path, pattern: str = "*") -> bytes:
    """All that the files of a folder hold."""
    files = [file for file in folder.glob(pattern) if file.is_file()]
    return b"\0".join(file.read_bytes() for file in files)
