"""API keys: long-lived credentials of programs."""

from antiphon_server.auth.model import ApiKey, KeyId, Position, Request, Session
from antiphon_server.auth.model.requests import Answer, Repeated, answer_to
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.security_events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    RevocationCause,
    SecurityEvent,
)
from antiphon_server.auth.ports import ApiKeyStore, Clock
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings, ends
from antiphon_server.auth.service.key_format import PREFIX, hash_of, well_formed
from antiphon_server.auth.service.shown_once import SALT, ShownOnce
from antiphon_server.auth.service.users import printable
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found

MOST_PER_USER = 100


class ApiKeys:
    """Makes, recognises, lists and revokes API keys."""

    def __init__(
        self,
        store: ApiKeyStore,
        endings: Endings,
        completion: Completion,
        security_events: Recorder,
        shown_once: ShownOnce,
        clock: Clock,
    ) -> None:
        self._store = store
        self._endings = endings
        self._completion = completion
        self._security_events = security_events
        self._shown_once = shown_once
        self._now = micros(clock)

    async def create(
        self,
        owner: UserId,
        label: str,
        ttl: int | None,
        most: int = MOST_PER_USER,
        scopes: frozenset[Scope] | None = None,
        sponsor: Session | None = None,
        request: Request | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is not kept; ``ttl`` is in microseconds.

        ``scopes`` of None are no limits. ``sponsor`` is the session that asks for it, if any; if
        a key of the owner's opened that, the new one does not outlive it. Repeating the
        ``request`` gets the same key and secret. Raises DomainError LIMIT_EXCEEDED if the owner
        has ``most`` already, SESSION_REVOKED if the sponsor has ended, REQUEST_ID_REUSED, and
        NOT_FOUND if the key that the same request made was revoked.
        """
        parent = await self._parent(owner, sponsor)
        now, salt = self._now(), self._shown_once.salt()
        secret = self._shown_once.secret(PREFIX, salt)
        ends = [parent.expire_time] if parent else []
        ends.append(None if ttl is None else now + ttl)
        key = ApiKey(
            key_id=KeyId(new_id("key")),
            user_id=owner,
            label=printable(label),
            secret_hash=hash_of(secret),
            create_time=now,
            expire_time=min((end for end in ends if end is not None), default=None),
            scopes=scopes,
            parent_key_id=parent.key_id if parent else None,
        )
        answer = answer_to(request, salt + key.key_id.encode())
        try:
            await self._completion.run(self._add(key, most, answer, sponsor))
        except Repeated as again:
            return await self._made(again.response)
        return key, secret

    async def find(self, secret: str) -> ApiKey | None:
        """The key of that secret while it works; a mistyped one never reaches the store."""
        if not well_formed(secret):
            return None
        key = await self._store.find(hash_of(secret))
        return None if key is None or key.expired(self._now()) else key

    async def list_keys(self, owner: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """A page of the owner's keys, the newest first."""
        return await self._store.list_keys(owner, after, limit)

    async def get(self, key_id: KeyId) -> ApiKey:
        """The key of that id. Raises DomainError NOT_FOUND."""
        key = await self._store.get(key_id)
        if key is None:
            raise not_found(f"api_keys/{key_id}")
        return key

    async def revoke(self, key_id: KeyId, request: Request | None = None) -> None:
        """Delete a key and those made with it, and end the sessions that they opened.

        Whether one may is checked before. Returns when their tokens no longer work. Raises
        DomainError NOT_FOUND, REQUEST_ID_REUSED, and Repeated.
        """
        await self._completion.run(self._revoke(key_id, answer_to(request, b"")))

    async def _made(self, response: bytes) -> tuple[ApiKey, str]:
        """The key that the same request made, with its secret."""
        salt, key_id = response[:SALT], KeyId(response[SALT:].decode())
        return await self.get(key_id), self._shown_once.secret(PREFIX, salt)

    async def _parent(self, owner: UserId, sponsor: Session | None) -> ApiKey | None:
        """The owner's key that opened the session, if one did."""
        if sponsor is None or sponsor.api_key_id is None or sponsor.user_id != owner:
            return None
        parent = await self._store.get(sponsor.api_key_id)
        if parent is None:
            raise DomainError(Reason.SESSION_REVOKED)
        return parent

    async def _add(
        self, key: ApiKey, most: int, answer: Answer | None, sponsor: Session | None
    ) -> None:
        session_id = sponsor.session_id if sponsor else None
        with self._security_events.recording(_created) as records:
            stored = await self._store.add(key, most, records, answer, session_id)
        if not stored:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit="api_keys")

    async def _revoke(self, key_id: KeyId, answer: Answer | None) -> None:
        key = await self.get(key_id)

        def events(ended: Ended) -> list[SecurityEvent]:
            return revoked(key.user_id, ended, RevocationCause.API_KEY_REVOKED)

        with self._security_events.recording(events) as records:
            ended = await self._store.revoke(key, self._now(), records, answer)
        if ended is None:
            raise not_found(f"api_keys/{key_id}")
        await self._endings.announce(ended.sessions)


def _created(key: ApiKey) -> list[SecurityEvent]:
    created = ApiKeyCreated(key.key_id, key.label, key.expire_time)
    return [SecurityEvent(created, key.user_id)]


def revoked(
    owner: UserId, ended: Ended, cause: RevocationCause = RevocationCause.REQUESTED
) -> list[SecurityEvent]:
    """What is recorded of an owner's keys and sessions that end together."""
    keys = [SecurityEvent(ApiKeyRevoked(key_id), owner) for key_id in ended.keys]
    return [*keys, *ends(ended.sessions, cause)]
