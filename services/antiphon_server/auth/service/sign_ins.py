"""What is recorded of sign-ins, those that came in and those that did not."""

import hmac
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from antiphon_server.auth.model import KeyId, LoginMethod, Session
from antiphon_server.auth.model.security_events import (
    ApiKeyUsed,
    SecurityEvent,
    SignedIn,
    SignInFailed,
    SignInFailure,
    SignInsRefused,
)
from antiphon_server.auth.ports import ServerSecret
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.runtime.net.addresses import current_address

FAILURES_TOLD = 10
"""So many failures of one address within a minute are told one by one."""
_BY_KEY = (LoginMethod.API_KEY, LoginMethod.CLIENT_CREDENTIALS)


class SignIns:
    """Records sign-ins, failures and refusals, in the name of whoever calls."""

    def __init__(self, coalesced: Coalesced, secret: ServerSecret) -> None:
        self._coalesced = coalesced
        self._name_key = secret.derive("names of sign-ins")

    @contextmanager
    def first(self, session: Session) -> Iterator[bool]:
        """Whether the block, which opens a session, records it wherever it is from.

        One that a key opens is a use of the key, of which the first of a minute is.
        """
        if session.api_key_id is None:
            yield True
            return
        with self._coalesced.turn(*_use(session, session.api_key_id)) as first:
            yield first

    def opened(self, session: Session, *, first: bool, new_place: bool) -> list[SecurityEvent]:
        """What to record with a new session; with a key's, if it is the first or in a new place."""
        key_id = session.api_key_id
        if key_id is None:
            signed_in = SignedIn(session.method, session.provider, session.device, new_place)
            return [_by(session, signed_in)]
        return [_by(session, ApiKeyUsed(key_id, new_place))] if first or new_place else []

    def count(self, session: Session) -> None:
        """A key opened a session and nothing was recorded; that is told when the minute ends."""
        if session.api_key_id is not None:
            self._coalesced.hold(*_use(session, session.api_key_id))

    async def failed(
        self,
        method: LoginMethod,
        failure: SignInFailure,
        *,
        name: str = "",
        user_id: str = "",
        provider: str = "",
    ) -> None:
        """Credentials were looked at and refused; ``user_id`` is the account, if it is known."""
        failed = SignInFailed(method, failure, provider, self.name_hash(name))
        sort = (SignInFailed, method, current_address())
        if method in _BY_KEY:  # a mistyped one costs no write
            self._coalesced.record_soon(sort, SecurityEvent(failed, user_id))
        else:
            await self._coalesced.record(sort, SecurityEvent(failed, user_id), FAILURES_TOLD)

    async def refused(self, method: LoginMethod, *, name: str = "") -> None:
        """An attempt was refused without being looked at, for there were too many."""
        hashed = self.name_hash(name)
        sort = (SignInsRefused, hashed, current_address())
        await self._coalesced.record(sort, SecurityEvent(SignInsRefused(method, hashed)))

    def name_hash(self, name: str) -> str:
        """What stands for a name: keyed, for people type passwords where names belong."""
        return hmac.digest(self._name_key, name.encode(), "sha256")[:16].hex() if name else ""


def _use(session: Session, key_id: KeyId) -> tuple[Hashable, SecurityEvent]:
    """A use of a key, and the sort that it counts under."""
    return (ApiKeyUsed, key_id, current_address()), _by(session, ApiKeyUsed(key_id))


def _by(session: Session, detail: SignedIn | ApiKeyUsed) -> SecurityEvent:
    """An event of the session's own user, who was nobody until then."""
    return SecurityEvent(
        detail, session.user_id, actor=f"users/{session.user_id}", session_id=session.session_id
    )
