"""Accounts, their sessions and their secrets."""

from dataclasses import dataclass

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.breached_passwords import breached_passwords
from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.compose.recording import Recording
from antiphon_server.auth.compose.tokens import Tokens
from antiphon_server.auth.ports import SecretFile, SessionEvents
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.attempts import Attempts
from antiphon_server.auth.service.endings import Endings
from antiphon_server.auth.service.local_operator import LocalOperator
from antiphon_server.auth.service.password_changes import NewPasswords, PasswordChanges
from antiphon_server.auth.service.password_resets import PasswordResets
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.profiles import UserProfiles
from antiphon_server.auth.service.refresh_tokens import RefreshTokens
from antiphon_server.auth.service.requests import Requests
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.shown_once import ShownOnce
from antiphon_server.auth.service.test_user import TestUser
from antiphon_server.auth.service.user_updates import UserUpdates
from antiphon_server.auth.service.users import Users


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who has an account, where they are signed in, and with what they can."""

    requests: Requests
    users: Users
    user_updates: UserUpdates
    sessions: Sessions
    endings: Endings
    api_keys: ApiKeys
    attempts: Attempts
    passwords: Passwords
    password_changes: PasswordChanges
    password_resets: PasswordResets
    local_operator: LocalOperator
    test_user: TestUser
    profiles: UserProfiles


def compose_accounts(
    base: Base,
    recording: Recording,
    tokens: Tokens,
    events: SessionEvents,
    hasher: Argon2Pool,
    operator_file: SecretFile,
) -> Accounts:
    """Accounts and sessions; all other processes learn of ends by ``events``."""
    stores, clock, completion, others = base.stores, base.clock, base.completion, base.others
    log, sign_ins = recording.security_events, recording.sign_ins
    breached = breached_passwords(base.settings.breached_passwords_file)
    passwords, shown_once = Passwords(hasher, breached), ShownOnce(base.secret)
    requests = Requests(stores.requests, base.secret, clock)
    users = Users(stores.users, passwords, requests, completion, log, clock)
    endings = Endings(stores.sessions, events, tokens.liveness, tokens.messenger)
    api_keys = ApiKeys(stores.api_keys, endings, completion, log, shown_once, clock)
    attempts = Attempts(stores.attempts, stores.places, clock)
    new = NewPasswords(stores.users, endings, completion, log, clock)
    return Accounts(
        requests=requests,
        users=users,
        user_updates=UserUpdates(stores.users, endings, completion, log, others.names, clock),
        sessions=Sessions(
            stores.sessions,
            stores.api_keys,
            users,
            tokens.access_tokens,
            RefreshTokens(base.secret),
            endings,
            completion,
            sign_ins,
            log,
            clock,
            base.settings.sessions,
        ),
        endings=endings,
        api_keys=api_keys,
        attempts=attempts,
        passwords=passwords,
        password_changes=PasswordChanges(users, passwords, attempts, new, sign_ins),
        password_resets=PasswordResets(
            stores.password_resets, users, passwords, new, completion, log, shown_once, clock
        ),
        local_operator=LocalOperator(
            stores.users, users, api_keys, operator_file, others.node, others.living
        ),
        test_user=TestUser(stores.users, passwords, endings, log, clock),
        profiles=UserProfiles(stores.profiles, completion, log, others.profiles, clock),
    )
