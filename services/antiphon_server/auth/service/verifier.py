"""Who an access token speaks for: asked on every call, so answered from memory."""

from collections import OrderedDict
from typing import Protocol

from antiphon_server.auth.ports import Clock, SessionStore
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.token_reader import TokenReader, UnknownKey, VerificationKeys
from antiphon_server.runtime.access.principal import Principal, SessionId
from antiphon_server.runtime.errors import DomainError, Reason


class Sessions(Protocol):
    """Knows which sessions go on."""

    async def lives(self, session_id: SessionId) -> bool:
        """Whether the session of a token that has not expired goes on."""
        ...


class StoredSessions:
    """:class:`Sessions` by the store that holds them."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def lives(self, session_id: SessionId) -> bool:
        """See :meth:`Sessions.lives`."""
        session = await self._store.get(session_id)
        return session is not None and session.end_time is None


class Verifier:
    """Verifies access tokens; remembers the ``most`` newest good ones.

    A signature is checked once, the expiry and the session each time. ``sessions`` is
    asked only about those that this process does not know.
    """

    def __init__(
        self,
        tokens: TokenReader,
        keys: VerificationKeys,
        sessions: Sessions,
        liveness: Liveness,
        clock: Clock,
        most: int = 10_000,
    ) -> None:
        self._tokens = tokens
        self._keys = keys
        self._sessions = sessions
        self._liveness = liveness
        self._clock = clock
        self._most = most
        self._known: OrderedDict[str, Principal] = OrderedDict()
        keys.on_withdrawn(self.forget)

    async def verify(self, token: str) -> Principal:
        """The principal of a valid token.

        Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED.
        """
        principal = self._known.get(token) or await self._first_look(token)
        if principal.expires_at <= self._clock():
            self._known.pop(token, None)
            raise DomainError(Reason.TOKEN_EXPIRED)
        if principal.kind == "user" and not await self._live(principal.session_id):
            raise DomainError(Reason.SESSION_REVOKED)
        return principal

    async def recheck(self, token: str, principal: Principal) -> None:
        """See :meth:`TokenRechecker.recheck`."""
        if token not in self._known and principal.expires_at > self._clock():
            await self._first_look(token)
        if principal.kind == "user" and not await self._live(principal.session_id):
            raise DomainError(Reason.SESSION_REVOKED)

    def forget(self) -> None:
        """Check every signature again, because a key was withdrawn."""
        self._known.clear()

    async def _first_look(self, token: str) -> Principal:
        try:
            return self._read(token)
        except UnknownKey:
            await self._keys.learn()
            return self._read(token)

    def _read(self, token: str) -> Principal:
        principal = self._tokens.read(token)
        self._known[token] = principal
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return principal

    async def _live(self, session_id: SessionId) -> bool:
        state = self._liveness.state(session_id)
        if state is not None:
            return state
        if not await self._sessions.lives(session_id):
            self._liveness.ended(session_id)
            return False
        return self._liveness.lives(session_id)
