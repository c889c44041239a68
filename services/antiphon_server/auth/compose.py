"""The composition root's slice for identity: every concrete class in its place."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.auth import audit_encoding
from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.breached_passwords import CommonPasswords
from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.adapters.oidc import OidcPools, oidc_providers
from antiphon_server.auth.adapters.secret_files import PrivateFile
from antiphon_server.auth.adapters.security_metrics import SecurityMetrics
from antiphon_server.auth.adapters.server_secret import load_or_create
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import Clock, ServerSecret, SessionEvents, Stores
from antiphon_server.auth.ports.breached_passwords import BreachedPasswords
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.alarms import Alarms, AlarmSettings
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.attempts import Attempts
from antiphon_server.auth.service.audit_heads import AuditHeads
from antiphon_server.auth.service.audit_trail import AuditTrail
from antiphon_server.auth.service.audit_watches import AuditWatches
from antiphon_server.auth.service.clean_up import CleanUp
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.completion import Completion
from antiphon_server.auth.service.device_decisions import DeviceDecisions
from antiphon_server.auth.service.device_guesses import DeviceGuesses
from antiphon_server.auth.service.device_logins import DeviceLogins, UserCodes
from antiphon_server.auth.service.endings import Endings
from antiphon_server.auth.service.expirations import Expirations
from antiphon_server.auth.service.following import Following
from antiphon_server.auth.service.identities import Identities
from antiphon_server.auth.service.identity_links import IdentityLinks
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.key_rotation import KeyRotation
from antiphon_server.auth.service.live_sessions import LiveSessions
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.local_operator import LocalOperator
from antiphon_server.auth.service.login import Login
from antiphon_server.auth.service.login_flows import LoginFlows
from antiphon_server.auth.service.once import Once
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.password_changes import NewPasswords, PasswordChanges
from antiphon_server.auth.service.password_resets import PasswordResets
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.service.refresh_tokens import RefreshTokens
from antiphon_server.auth.service.security_events import SecurityEventLog, seal_of
from antiphon_server.auth.service.service_assertions import ServiceAssertions
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.signing_keys import KeySettings, SigningKeys
from antiphon_server.auth.service.test_user import TestUser
from antiphon_server.auth.service.tokens import AccessTokens, TokenSettings
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.auth.servicer import AuthServicer
from antiphon_server.auth.servicers.audit import AuditServicer

VERSIONS = Path(__file__).parent / "adapters" / "migrations" / "versions"
SECRET_FILE = "auth.key"
OPERATOR_FILE = "operator.key"
MOST_CONNECTIONS = 64  # to identity providers


@dataclass(frozen=True, slots=True)
class Auth:
    """The auth service. Call ``start`` before it serves and ``close`` at the end."""

    servicer: AuthServicer
    audit_servicer: AuditServicer
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
        await self.expirations.begin()
        await self.signing_keys.load()
        await self.audit_trail.tell_of_keys()

    async def greet(self) -> None:
        """Once the event log answers: the local operator, and ends not told before."""
        await self.local_operator.ensure()
        await self.endings.recover()

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
) -> Auth:
    """The auth service on these stores, its operator key in ``data_dir``.

    Without a ``secret`` that is there, too, and made if it is missing.

    Raises OSError, ExposedFileError or UnusableSecretError if the secret's file
    can't be used.
    """
    settings, hasher = settings or TokenSettings(), hasher or Argon2Pool()
    secret = secret or load_or_create(data_dir / SECRET_FILE)
    completion, liveness = Completion(), Liveness()
    messenger = messenger or MemoryMessenger()
    security_events = SecurityEventLog(stores.security_events, secret, clock)
    coalesced = Coalesced(security_events, clock)
    alarms = Alarms(security_events, alarm_settings or AlarmSettings(), clock)
    live_sessions = LiveSessions(stores.sessions, clock)
    metrics = SecurityMetrics(lambda: live_sessions.count)
    security_events.on_event(alarms.on_event)
    security_events.on_event(metrics.on_event)
    sign_ins = SignIns(security_events, coalesced, stores.places, secret, clock)
    signing_keys = SigningKeys(
        stores.signing_keys, secret, security_events, clock, settings.longest_life, key_settings
    )
    access_tokens = AccessTokens(signing_keys, settings, clock)
    passwords = Passwords(hasher, breached or CommonPasswords())
    users = Users(stores.users, passwords, secret, completion, security_events, clock)
    endings = Endings(
        stores.sessions,
        events,
        liveness,
        security_events,
        messenger,
        stores.security_events,
        audit_encoding.ended_session,
    )
    sessions = Sessions(
        stores.sessions,
        users,
        access_tokens,
        RefreshTokens(secret),
        endings,
        completion,
        sign_ins,
        clock,
        session_settings,
    )
    api_keys = ApiKeys(stores.api_keys, endings, completion, security_events, clock)
    user_updates = UserUpdates(stores.users, endings, completion, clock)
    attempts = Attempts(stores.attempts, stores.places, clock)
    new_passwords = NewPasswords(stores.users, endings, completion, clock)
    password_changes = PasswordChanges(users, passwords, attempts, new_passwords, sign_ins)
    password_resets = PasswordResets(
        stores.password_resets, users, passwords, new_passwords, completion, security_events, clock
    )
    codes = UserCodes(secret)
    device_logins = DeviceLogins(stores.device_logins, codes, users, sessions, clock)
    device_decisions = DeviceDecisions(
        stores.device_logins,
        codes,
        DeviceGuesses(attempts),
        users,
        sessions,
        sign_ins,
        security_events,
        completion,
        clock,
    )
    login = Login(stores.users, passwords, attempts, api_keys, sessions, sign_ins)
    verifier = Verifier(access_tokens, signing_keys, stores.sessions, liveness, clock)
    key_rotation = KeyRotation(signing_keys, completion, messenger)
    once = Once(stores.attempts, clock)
    assertions = ServiceAssertions(secret, once, access_tokens, clock, settings.audience)
    trail = AuditTrail(
        stores.security_events,
        security_events,
        AuditHeads(signing_keys, settings.issuer, clock),
        signing_keys,
        seal_of(secret),
        audit_encoding.faithful,
        audit_encoding.rotated_key,
    )
    watches = AuditWatches(stores.security_events)
    security_events.on_event(watches.on_event)
    pools = OidcPools(MOST_CONNECTIONS)
    provider_login = ProviderLogin(
        oidc_providers(identity_providers, pools, completion, once, clock),
        LoginFlows(once, secret, clock),
        Identities(stores.identities, users, completion, security_events, clock),
        sessions,
        sign_ins,
    )
    identity_links = IdentityLinks(
        stores.identities, users, endings, completion, security_events, clock
    )
    operator_file = PrivateFile(data_dir / OPERATOR_FILE)
    return Auth(
        servicer=AuthServicer(
            users,
            user_updates,
            password_changes,
            password_resets,
            device_logins,
            device_decisions,
            login,
            sessions,
            KeyCustody(api_keys, users),
            signing_keys,
            provider_login,
            identity_links,
            key_rotation,
            assertions,
        ),
        audit_servicer=AuditServicer(security_events, trail, watches, signing_keys, verifier),
        audit_trail=trail,
        audit_watches=watches,
        users=users,
        user_updates=user_updates,
        password_changes=password_changes,
        password_resets=password_resets,
        device_logins=device_logins,
        device_decisions=device_decisions,
        login=login,
        sessions=sessions,
        api_keys=api_keys,
        verifier=verifier,
        access_tokens=access_tokens,
        signing_keys=signing_keys,
        key_rotation=key_rotation,
        following=Following(stores.endings, signing_keys, liveness, messenger),
        messenger=messenger,
        clean_up=CleanUp(stores.expiring, clock),
        liveness=liveness,
        local_operator=LocalOperator(stores.users, users, api_keys, operator_file),
        test_user=TestUser(stores.users, passwords, endings, clock),
        endings=endings,
        completion=completion,
        security_events=security_events,
        coalesced=coalesced,
        sign_ins=sign_ins,
        alarms=alarms,
        live_sessions=live_sessions,
        expirations=Expirations(stores.sessions, stores.security_events, security_events, clock),
        metrics=metrics,
        hasher=hasher,
        provider_login=provider_login,
        identity_links=identity_links,
        pools=pools,
    )
