"""The auth service as a whole: its parts, their start and their end."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.breached_passwords import CommonPasswords
from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.adapters.oidc import OidcPools
from antiphon_server.auth.adapters.secret_files import PrivateFile
from antiphon_server.auth.adapters.security_metrics import SecurityMetrics
from antiphon_server.auth.adapters.server_secret import load_or_create
from antiphon_server.auth.compose.accounts import Accounts, compose_accounts
from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.compose.recording import compose_recording, compose_trail
from antiphon_server.auth.compose.signing_in import SigningIn, compose_signing_in
from antiphon_server.auth.compose.tokens import Tokens, compose_tokens
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import Clock, ServerSecret, SessionEvents, Stores
from antiphon_server.auth.ports.breached_passwords import BreachedPasswords
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.alarms import Alarms, AlarmSettings
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.audit_trail import AuditTrail
from antiphon_server.auth.service.audit_watches import AuditWatches
from antiphon_server.auth.service.clean_up import CleanUp
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.device_decisions import DeviceDecisions
from antiphon_server.auth.service.device_logins import DeviceLogins
from antiphon_server.auth.service.endings import Endings
from antiphon_server.auth.service.expirations import Expirations
from antiphon_server.auth.service.following import Following
from antiphon_server.auth.service.identity_links import IdentityLinks
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.key_rotation import KeyRotation
from antiphon_server.auth.service.live_sessions import LiveSessions
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.local_operator import Living, LocalOperator, nobody
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.password_changes import PasswordChanges
from antiphon_server.auth.service.password_resets import PasswordResets
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.service.security_events import SecurityEventLog
from antiphon_server.auth.service.session_feed import SessionFeed
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.signing_keys import KeySettings, SigningKeys
from antiphon_server.auth.service.test_user import TestUser
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.tokens import AccessTokens
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.auth.servicer import AuthServicer
from antiphon_server.auth.servicers.audit import AuditServicer
from antiphon_server.auth.servicers.rules import AuthRules
from antiphon_server.auth.servicers.verification import VerificationServicer
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.concurrency.completion import Completion

SECRET_FILE = "auth.key"
OPERATOR_FILE = "operator.key"


@dataclass(frozen=True, slots=True)
class Auth:
    """The auth service. Call ``start`` before it serves and ``close`` at the end."""

    servicer: AuthServicer
    audit_servicer: AuditServicer
    verification_servicer: VerificationServicer
    session_feed: SessionFeed
    audit_trail: AuditTrail
    audit_watches: AuditWatches
    users: Users
    user_updates: UserUpdates
    password_changes: PasswordChanges
    password_resets: PasswordResets
    device_logins: DeviceLogins
    device_decisions: DeviceDecisions
    login: Login
    sessions: Sessions
    api_keys: ApiKeys
    verifier: Verifier
    access_tokens: AccessTokens
    signing_keys: SigningKeys
    key_rotation: KeyRotation
    following: Following
    clean_up: CleanUp
    messenger: RevocationMessenger
    liveness: Liveness
    local_operator: LocalOperator
    test_user: TestUser
    endings: Endings
    completion: Completion
    security_events: SecurityEventLog
    coalesced: Coalesced
    sign_ins: SignIns
    alarms: Alarms
    live_sessions: LiveSessions
    expirations: Expirations
    metrics: SecurityMetrics
    hasher: Argon2Pool
    provider_login: ProviderLogin
    identity_links: IdentityLinks
    pools: OidcPools

    async def start(self) -> None:
        """Load the signing keys: from then on tokens are issued and verified."""
        await self.following.begin()
        await self.signing_keys.load()
        await self.audit_trail.tell_of_keys()

    async def greet(self) -> None:
        """Once the event log answers: the local operator, and ends not told before."""
        await self.local_operator.ensure()
        await self.endings.announce_pending()

    async def close(self) -> None:
        """Finish what was begun, then stop the threads; what fails keeps nothing else open."""
        async with AsyncExitStack() as ending:  # from the last line to the first
            ending.push_async_callback(self.pools.close)
            ending.push_async_callback(self.hasher.close)
            ending.push_async_callback(self.security_events.close)
            ending.push_async_callback(self.alarms.flush)
            ending.push_async_callback(self.messenger.close)
            ending.push_async_callback(self.coalesced.flush, all_of_it=True)
            ending.push_async_callback(self.completion.close)


def compose_auth(
    stores: Stores,
    events: SessionEvents,
    data_dir: Path,
    hasher: Argon2Pool | None = None,
    settings: TokenSettings | None = None,
    clock: Clock = time.time,
    secret: ServerSecret | None = None,
    session_settings: SessionSettings | None = None,
    breached: BreachedPasswords | None = None,
    identity_providers: Sequence[IdentityProviderSettings] = (),
    key_settings: KeySettings | None = None,
    messenger: RevocationMessenger | None = None,
    alarm_settings: AlarmSettings | None = None,
    node: str = "",
    living: Living = nobody,
    known_names: KnownNames | None = None,
) -> Auth:
    """The auth service on these stores, its operator key in ``data_dir``.

    Without a ``secret`` that is there, too, and made if it is missing. ``node`` names this
    server among those that share the stores, and ``living`` those that run. ``known_names`` are
    those that other services remember.

    Raises OSError, ExposedFileError or UnusableSecretError if the secret's file
    can't be used.
    """
    base = Base(stores, secret or load_or_create(data_dir / SECRET_FILE), clock, Completion())
    hasher = hasher or Argon2Pool()
    known_names = known_names or KnownNames(MemoryCache())
    recording = compose_recording(base, alarm_settings or AlarmSettings())
    tokens = compose_tokens(
        base,
        recording.security_events,
        messenger or MemoryMessenger(),
        settings or TokenSettings(),
        key_settings,
    )
    accounts = compose_accounts(
        base,
        recording,
        tokens,
        events,
        hasher,
        breached or CommonPasswords(),
        session_settings,
        PrivateFile(data_dir / OPERATOR_FILE),
        node,
        living,
        known_names,
    )
    signing_in = compose_signing_in(base, recording, tokens, accounts, identity_providers)
    trail = compose_trail(base, recording, tokens, accounts.requests)
    return Auth(
        servicer=_servicer(tokens, accounts, signing_in, known_names),
        audit_servicer=trail.servicer,
        verification_servicer=VerificationServicer(tokens.feed),
        session_feed=tokens.feed,
        audit_trail=trail.trail,
        audit_watches=trail.watches,
        users=accounts.users,
        user_updates=accounts.user_updates,
        password_changes=accounts.password_changes,
        password_resets=accounts.password_resets,
        device_logins=signing_in.device_logins,
        device_decisions=signing_in.device_decisions,
        login=signing_in.login,
        sessions=accounts.sessions,
        api_keys=accounts.api_keys,
        verifier=tokens.verifier,
        access_tokens=tokens.access_tokens,
        signing_keys=tokens.signing_keys,
        key_rotation=tokens.key_rotation,
        following=tokens.following,
        clean_up=CleanUp(stores.expiring, clock),
        messenger=tokens.messenger,
        liveness=tokens.liveness,
        local_operator=accounts.local_operator,
        test_user=accounts.test_user,
        endings=accounts.endings,
        completion=base.completion,
        security_events=recording.security_events,
        coalesced=recording.coalesced,
        sign_ins=recording.sign_ins,
        alarms=recording.alarms,
        live_sessions=recording.live_sessions,
        expirations=Expirations(stores.sessions, recording.security_events, clock),
        metrics=recording.metrics,
        hasher=hasher,
        provider_login=signing_in.provider_login,
        identity_links=signing_in.identity_links,
        pools=signing_in.pools,
    )


def _servicer(
    tokens: Tokens, accounts: Accounts, signing_in: SigningIn, known_names: KnownNames
) -> AuthServicer:
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
            known_names=known_names,
        )
    )
