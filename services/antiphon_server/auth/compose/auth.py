"""The auth service as a whole: its parts, their start and their end."""

import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.secret_files import OPERATOR_FILE, PrivateFile
from antiphon_server.auth.adapters.server_secret import SECRET_FILE, load_or_create
from antiphon_server.auth.compose.accounts import Accounts, compose_accounts
from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.compose.other_servers import OtherServers
from antiphon_server.auth.compose.recording import (
    Recording,
    Trail,
    compose_recording,
    compose_trail,
)
from antiphon_server.auth.compose.signing_in import SigningIn, compose_signing_in
from antiphon_server.auth.compose.tokens import Tokens, compose_tokens
from antiphon_server.auth.ports import Clock, ServerSecret, SessionEvents, Stores
from antiphon_server.auth.service.clean_up import CleanUp
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.expirations import Expirations
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.liveness import Listener
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.auth.servicer import AuthServicer
from antiphon_server.auth.servicers.profiles import ProfileServicer
from antiphon_server.auth.servicers.rules import AuthRules
from antiphon_server.auth.settings import AuthSettings
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the calls, and is nobody's else."""

    clean_up: CleanUp
    expirations: Expirations


@dataclass(frozen=True, slots=True)
class Auth:
    """The auth service, by what its parts are about.

    It is a :class:`~antiphon_server.auth.compose.guarding.Guarding`. Call ``start`` before it
    serves, ``greet`` once the event log answers, and ``close`` at the end.
    """

    base: Base
    recording: Recording
    tokens: Tokens
    accounts: Accounts
    signing_in: SigningIn
    trail: Trail
    background: Background
    hasher: Argon2Pool

    @property
    def verifier(self) -> Verifier:
        """Knows tokens, and sessions that have ended."""
        return self.tokens.verifier

    @property
    def coalesced(self) -> Coalesced:
        """Takes security events, of which many alike become one."""
        return self.recording.coalesced

    def on_session_end(self, listener: Listener) -> None:
        """Call ``listener`` with each session that ends from now on."""
        self.tokens.liveness.on_end(listener)

    def on_keys_withdrawn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a key stops being valid."""
        self.tokens.signing_keys.on_withdrawn(listener)

    async def start(self) -> None:
        """Load the signing keys: from then on tokens are issued and verified."""
        await self.tokens.following.begin()
        await self.tokens.signing_keys.load()
        await self.trail.trail.record_keys()

    async def start_guarding(self, lifecycle: Lifecycle, health: Health) -> None:
        """Start, and watch sessions and what is recorded; the lifecycle closes all of it."""
        lifecycle.on_stop("auth", self.close)
        await self.start()
        lifecycle.spawn("auth.audit", self.coalesced.run())
        lifecycle.spawn("auth.alarms", self.recording.alarms.run())
        lifecycle.spawn("auth.sessions", self.recording.session_count.run(), vital=False)
        lifecycle.spawn("auth.expirations", self.background.expirations.run(), vital=False)

    async def greet(self) -> None:
        """Once the event log answers: the local operator, and ends not told before."""
        await self.accounts.local_operator.ensure()
        await self.accounts.endings.announce_pending()

    async def test_password(self) -> str:
        """The test user's, if there is to be one; one of an earlier start is shut out else."""
        test_user = self.accounts.test_user
        if self.base.settings.test_user:
            return await test_user.admit()
        if await test_user.shut_out():
            log.warning("the test user of an earlier start is shut out")
        return ""

    async def close(self) -> None:
        """Finish what was begun, then stop the threads; what fails keeps nothing else open."""
        async with AsyncExitStack() as ending:  # from the last line to the first
            ending.push_async_callback(self.signing_in.pools.close)
            ending.push_async_callback(self.hasher.close)
            ending.push_async_callback(self.recording.security_events.close)
            ending.push_async_callback(self.recording.alarms.flush)
            ending.push_async_callback(self.tokens.messenger.close)
            ending.push_async_callback(self.coalesced.flush, all_of_it=True)
            ending.push_async_callback(self.base.completion.close)


def compose_auth(
    stores: Stores,
    events: SessionEvents,
    data_dir: Path,
    settings: AuthSettings | None = None,
    others: OtherServers | None = None,
    *,
    secret: ServerSecret | None = None,
    hasher: Argon2Pool | None = None,
    clock: Clock = time.time,
) -> Auth:
    """The auth service on these stores, its operator key in ``data_dir``.

    Without a ``secret`` that is there, too, and made if it is missing. ``others`` are the servers
    on the same stores.

    Raises OSError, ExposedFileError or UnusableSecretError if the secret's file
    can't be used.
    """
    base = Base(
        stores,
        secret or load_or_create(data_dir / SECRET_FILE),
        clock,
        Completion(),
        settings or AuthSettings(),
        others or OtherServers(),
    )
    hasher = hasher or Argon2Pool()
    recording = compose_recording(base)
    tokens = compose_tokens(base, recording.security_events)
    operator_file = PrivateFile(data_dir / OPERATOR_FILE)
    accounts = compose_accounts(base, recording, tokens, events, hasher, operator_file)
    signing_in = compose_signing_in(base, recording, tokens, accounts)
    trail = compose_trail(base, recording, tokens, accounts.requests)
    background = Background(
        CleanUp(stores.expiring, clock),
        Expirations(stores.sessions, recording.security_events, clock),
    )
    return Auth(base, recording, tokens, accounts, signing_in, trail, background, hasher)


def auth_servicer(auth: Auth) -> AuthServicer:
    """The servicer of AuthService, on all of its rules."""
    tokens, accounts, signing_in = auth.tokens, auth.accounts, auth.signing_in
    return AuthServicer(
        AuthRules(
            requests=accounts.requests,
            users=accounts.users,
            user_updates=accounts.user_updates,
            password_changes=accounts.password_changes,
            password_resets=accounts.password_resets,
            device_logins=signing_in.device_logins,
            device_decisions=signing_in.device_decisions,
            login=signing_in.login,
            sessions=accounts.sessions,
            keys=KeyCustody(accounts.api_keys, accounts.users, accounts.sessions),
            signing_keys=tokens.signing_keys,
            provider_login=signing_in.provider_login,
            identity_links=signing_in.identity_links,
            key_rotation=tokens.key_rotation,
            assertions=signing_in.assertions,
            known_names=auth.base.others.names,
        )
    )


def profile_servicer(auth: Auth) -> ProfileServicer:
    """The servicer of ProfileService."""
    accounts = auth.accounts
    return ProfileServicer(accounts.profiles, accounts.users, auth.base.others.profiles)
