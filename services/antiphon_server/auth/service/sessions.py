"""Sessions: opened by a login, kept alive by refreshes, ended for good."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Origin,
    Position,
    Session,
    SignedIn,
    TokenPair,
    User,
)
from antiphon_server.auth.model.openings import Opened, Opening
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.security_events import (
    RefreshTokenReused,
    RevocationCause,
    SecurityEvent,
)
from antiphon_server.auth.ports import ApiKeyStore, Clock, SessionStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.api_keys import revoked
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings, ends
from antiphon_server.auth.service.opening import SessionSettings, new_session
from antiphon_server.auth.service.ownership import administers, owns, whose
from antiphon_server.auth.service.refresh_tokens import (
    Meaning,
    RefreshTokens,
    present,
    token_hash,
)
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.tokens import AccessTokens
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.net.addresses import current_address, network_place

MOST_LIVE = 1_000
"""Of one API key; and of one user, of those that no key opened."""
MOST_COUNTED = 8
"""So many keys a token names: one that is farther from the first counts for those alone."""
_Presented = tuple[Session, Meaning]


@dataclass(frozen=True, slots=True)
class Device:
    """A device that was let in: the hash that its login is found by, and its secret code."""

    device_hash: bytes
    code: str = field(repr=False)


class Sessions:
    """Opens, refreshes, lists and ends sessions."""

    def __init__(
        self,
        store: SessionStore,
        keys: ApiKeyStore,
        users: Users,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        endings: Endings,
        completion: Completion,
        sign_ins: SignIns,
        events: Recorder,
        clock: Clock,
        settings: SessionSettings | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._users = users
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._endings = endings
        self._completion = completion
        self._sign_ins = sign_ins
        self._events = events
        self._now = micros(clock)
        self._settings = settings or SessionSettings()

    async def open(
        self,
        user: User,
        origin: Origin,
        key: ApiKey | None = None,
        *,
        refreshable: bool = True,
        sponsor: SessionId | None = None,
        device: Device | None = None,
        most: int = MOST_LIVE,
    ) -> SignedIn:
        """A new session of a user who has proved who they are; ``key`` is what proved it, if any.

        ``sponsor`` is the session that vouches for it, if any, ``device`` who gets it. One that
        can't be refreshed ends with its access token. If that makes more than ``most`` live ones
        of the key, or without one of the user's own, it ends what was used longest ago of them.
        Raises DomainError
        CREDENTIALS_INVALID if meanwhile the key was revoked, the password replaced, the sponsor
        ended, the user disabled, or the device has got one.
        """
        session_id, settings = SessionId(new_id("sess")), self._settings
        token = self._refresh_tokens.first(session_id, device.code if device else "")
        if not refreshable:
            settings = replace(settings, longest=self._access_tokens.life)
        now, first = self._now(), token_hash(token)
        session = new_session(session_id, user, origin, key, first, now, settings)
        version = user.password_version if key is None else None
        device_hash = device.device_hash if device else None
        opening = Opening(
            session, most, network_place(current_address()), version, sponsor, device_hash
        )
        await self._completion.run(self._add(opening))
        # As it is now: had it changed, the change would have ended the session.
        user = await self._users.get(user.user_id)
        return SignedIn(await self._pair(session, token if refreshable else "", user), user)

    async def reopened(self, session_id: SessionId, code: str) -> SignedIn:
        """What a device with that code got, moments ago.

        Raises DomainError LOGIN_EXPIRED if the session is over, or was refreshed.
        """
        token = self._refresh_tokens.first(session_id, code)
        session = await self.get(session_id)
        if not session.live(self._now()) or session.refresh_hash != token_hash(token):
            raise DomainError(Reason.LOGIN_EXPIRED)
        user = await self._users.get(session.user_id)
        return SignedIn(await self._pair(session, token, user), user)

    async def refresh(self, token: str, address: str = "") -> TokenPair:
        """The next pair of tokens; ``address`` is where they go.

        Raises DomainError CREDENTIALS_INVALID for a token that was never issued,
        SESSION_REVOKED if its session is over or is ended by this very reuse.
        """
        session_id = self._refresh_tokens.session_of(token)
        if session_id is None:
            raise DomainError(Reason.CREDENTIALS_INVALID)
        successor = self._refresh_tokens.successor(token)
        work = self._present(session_id, token, successor, address)
        session = await self._completion.run(work)
        return await self._pair(session, successor, await self._users.get(session.user_id))

    async def get(self, session_id: SessionId) -> Session:
        """The session of that id. Raises DomainError NOT_FOUND."""
        session = await self._store.get(session_id)
        if session is None:
            raise not_found(f"sessions/{session_id}")
        return session

    async def list_live(
        self, caller: Principal, named: str, after: Position | None, limit: int
    ) -> list[Session]:
        """A page of live sessions, the newest first: the caller's, or of who is ``named``.

        Raises DomainError NOT_FOUND.
        """
        user_id = await whose(caller, named, self._users)
        return await self._store.list_live(user_id, self._now(), after, limit)

    async def revoke(self, caller: Principal, session_id: SessionId) -> None:
        """End a session of the caller's, or anyone's for an operator or a service.

        Returns when its tokens no longer work. Raises DomainError NOT_FOUND.
        """
        session = await self.get(session_id)
        if not owns(caller, session.user_id) and not administers(caller):
            raise not_found(f"sessions/{session_id}")
        signs_out = session_id == caller.session_id
        cause = None if signs_out else RevocationCause.REQUESTED
        await self._completion.run(self._end(session_id, cause))

    async def revoke_all(self, caller: Principal, named: str, *, api_keys: bool = False) -> Ended:
        """End every session but the calling one: the caller's, or of who is ``named``.

        With ``api_keys`` these are revoked, too, but for what opened the calling session.
        Returns what was ended, when its tokens no longer work. Raises DomainError NOT_FOUND.
        """
        user_id = await whose(caller, named, self._users)
        ending = self._end_all(user_id, caller.session_id, api_keys=api_keys)
        return await self._completion.run(ending)

    async def _add(self, opening: Opening) -> None:
        session, sign_ins = opening.session, self._sign_ins
        with sign_ins.first(session) as first:

            def events(opened: Opened) -> list[SecurityEvent]:
                signed_in = sign_ins.opened(session, first=first, new_place=opened.new_place)
                return [*ends(opened.ended, RevocationCause.TOO_MANY), *signed_in]

            with self._events.recording(events) as records:
                opened = await self._store.add(opening, records)
            if opened is None:
                raise DomainError(Reason.CREDENTIALS_INVALID)
        if not first and not opened.new_place:
            sign_ins.count(session)
        await self._endings.announce(opened.ended)

    async def _present(
        self, session_id: SessionId, token: str, successor: str, address: str
    ) -> Session:
        now, idle = self._now(), self._settings.idle
        presented, following = token_hash(token), token_hash(successor)

        def rule(session: Session) -> tuple[Session, _Presented]:
            after, meaning = present(session, presented, following, now, idle, address)
            return after, (after, meaning)

        with self._events.recording(_reuse) as records:
            result = await self._store.change(session_id, rule, records)
        if result is None:
            raise DomainError(Reason.CREDENTIALS_INVALID)
        session, meaning = result
        if meaning is Meaning.REUSED:
            await self._endings.announce([session])
        if meaning in (Meaning.REUSED, Meaning.ENDED):
            raise DomainError(Reason.SESSION_REVOKED)
        return session

    async def _end(self, session_id: SessionId, cause: RevocationCause | None) -> None:
        now = self._now()

        def rule(session: Session) -> tuple[Session, list[Session]]:
            if session.end_time is not None:
                return session, []
            after = replace(session, end_time=now, announced=False)
            return after, [after]

        def events(ended: list[Session]) -> list[SecurityEvent]:
            return ends(ended, cause)

        with self._events.recording(events) as records:
            ended = await self._store.change(session_id, rule, records)
        await self._endings.announce(ended or [])

    async def _end_all(self, user_id: UserId, but: SessionId, *, api_keys: bool) -> Ended:
        now = self._now()

        def events(ended: Ended) -> list[SecurityEvent]:
            return revoked(user_id, ended)

        with self._events.recording(events) as records:
            ended = await self._store.end_all(user_id, but or None, now, records, api_keys=api_keys)
        await self._endings.announce(ended.sessions)
        return ended

    async def _pair(self, session: Session, refresh_token: str, user: User) -> TokenPair:
        access_token, access_expire_time = self._access_tokens.for_session(
            session, user.operator, await self._opened_with(session)
        )
        return TokenPair(
            access_token=access_token,
            access_expire_time=access_expire_time,
            refresh_token=refresh_token,
            refresh_expire_time=session.expire_time,
            session_id=session.session_id,
        )

    async def _opened_with(self, session: Session) -> Sequence[KeyId]:
        """The keys that its calls count for: what limits one limits those that it makes."""
        if session.api_key_id is None:
            return ()
        return (await self._keys.lineage(session.user_id, session.api_key_id))[:MOST_COUNTED]


def _reuse(presented: _Presented) -> list[SecurityEvent]:
    session, meaning = presented
    if meaning is not Meaning.REUSED:
        return []
    reused = SecurityEvent(RefreshTokenReused(session.session_id), session.user_id)
    return [reused, *ends([session], RevocationCause.REFRESH_TOKEN_REUSED)]
