"""The auth service as it runs, with a clock that stands still and cheap hashes."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import Parameters
from argon2.profiles import CHEAPEST

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.compose.accounts import Accounts
from antiphon_server.auth.compose.others import OtherServers
from antiphon_server.auth.compose.recording import Recording
from antiphon_server.auth.compose.signing_in import SigningIn
from antiphon_server.auth.compose.tokens import Tokens
from antiphon_server.auth.compose.whole import Auth, compose_auth
from antiphon_server.auth.model import SignedIn, User
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import ServerSecret, Stores
from antiphon_server.auth.service.local_operator import Living, nobody
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.users import NewUser
from antiphon_server.auth.settings import AuthSettings
from antiphon_server.installation import NAMES
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.memory.auth.events import MemorySessionEvents
from tests.fakes.memory.auth.stores import memory_stores

OPERATOR = Principal("user", UserId("user_operator"), SessionId("sess_operator"), operator=True)
PASSWORD = "correct horse battery"


class FakeClock:
    """Unix time that moves when told to."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.25

    def __call__(self) -> float:
        return self.time


@dataclass(slots=True)
class World:
    """A running auth service and what it stands on."""

    auth: Auth
    stores: Stores
    events: MemorySessionEvents
    clock: FakeClock
    hasher: Argon2Pool
    database: Database | None

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

    async def user(self, name: str = "ann", password: str = PASSWORD) -> User:
        """Make an account."""
        return await self.accounts.users.create(OPERATOR, NewUser(name, password))

    async def login(self, name: str = "ann", password: str = PASSWORD) -> SignedIn:
        """Sign in from one address."""
        return await self.signing_in.login.by_password(name, password, "test", "192.0.2.1")

    async def close(self) -> None:
        """Stop what runs."""
        await self.auth.close()
        if self.database:
            await self.database.close()


async def open_world(
    data_dir: Path,
    *,
    sqlite: bool = False,
    database: Database | None = None,
    clock: FakeClock | None = None,
    stores: Stores | None = None,
    parameters: Parameters = CHEAPEST,
    most_waiting: int = 1_000,
    identity_providers: Sequence[IdentityProviderSettings] = (),
    secret: ServerSecret | None = None,
    tokens: TokenSettings | None = None,
    sessions: SessionSettings | None = None,
    node: str = "",
    living: Living = nobody,
) -> World:
    """Start the auth service on the data directory, as a process does."""
    clock, events = clock or FakeClock(), MemorySessionEvents()
    hasher = Argon2Pool(parameters, most_waiting=most_waiting)
    if sqlite:
        database = await _database(data_dir)
    if database:
        stores = sql_stores(database)
    stores = stores or memory_stores()
    auth = compose_auth(
        stores,
        events,
        data_dir,
        AuthSettings(
            tokens=tokens or TokenSettings(),
            sessions=sessions or SessionSettings(),
            identity_providers=identity_providers,
            services=NAMES,
        ),
        OtherServers(node=node, living=living),
        hasher=hasher,
        clock=clock,
        secret=secret,
    )
    await auth.start()
    return World(auth, stores, events, clock, hasher, database)


_EMPTY: list[bytes] = []
"""The file of a database with all tables, as soon as one was made."""


async def _database(folder: Path) -> SqliteDatabase:
    """What is there, or a copy of an empty one: making the tables takes longer than most tests."""
    if not _EMPTY:
        with tempfile.TemporaryDirectory() as elsewhere:
            path = Path(elsewhere) / "empty.db"
            made = SqliteDatabase(path)
            await made.write(metadata.create_all)
            await made.close()
            _EMPTY.append(await asyncio.to_thread(path.read_bytes))
    path = folder / "test.db"
    await asyncio.to_thread(_copy, _EMPTY[0], path)
    return SqliteDatabase(path)


def _copy(empty: bytes, path: Path) -> None:
    with contextlib.suppress(FileExistsError), path.open("xb") as file:
        file.write(empty)


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
