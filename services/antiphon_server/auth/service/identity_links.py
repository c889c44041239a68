"""Which identities sign a user in: linked and unlinked by operators."""

import json
from dataclasses import replace

from antiphon_server.auth.model import Session, UserKind
from antiphon_server.auth.model.identities import MOST_IDENTITIES, Identity
from antiphon_server.auth.model.requests import Answer, Repeated, Request, answer_to
from antiphon_server.auth.model.security_events import IdentityUnlinked, SecurityEvent
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.identities import IdentityStore
from antiphon_server.auth.ports.identity_providers import IdentityProvider
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings, ends
from antiphon_server.auth.service.identities import linked
from antiphon_server.auth.service.ownership import whose
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found


class IdentityLinks:
    """Links identities to users, and takes that back."""

    def __init__(
        self,
        store: IdentityStore,
        users: Users,
        endings: Endings,
        completion: Completion,
        events: Recorder,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = users
        self._endings = endings
        self._completion = completion
        self._events = events
        self._now = micros(clock)

    async def link(
        self,
        user_id: UserId,
        provider: IdentityProvider,
        issuer: str,
        subject: str,
        request: Request | None = None,
    ) -> Identity:
        """Let a provider's subject sign a user in; the same again changes nothing.

        Repeating the ``request`` gets the same answer, even if it was unlinked since. Raises
        DomainError NOT_FOUND, INVALID_ARGUMENT for a program, or an issuer that is not the
        provider's, ALREADY_EXISTS if it signs in another user, LIMIT_EXCEEDED, REQUEST_ID_REUSED.
        """
        its = provider.issuer_for(issuer)
        if its is None:
            raise invalid("issuer", "must be the provider's, for Entra that of a tenant let in")
        user = await self._users.get(user_id)
        if user.kind is UserKind.PROGRAM:
            raise invalid("user_id", "is a program's: only people sign in at providers")
        identity = Identity(provider.name, its, subject, user.user_id, self._now())
        try:
            return await self._completion.run(self._link(identity, request))
        except Repeated as again:
            return _read(identity, again.response)

    async def unlink(self, issuer: str, subject: str, request: Request | None = None) -> None:
        """Let a subject sign nobody in, and end the sessions that providers opened.

        Returns when their tokens no longer work. Raises DomainError NOT_FOUND,
        REQUEST_ID_REUSED, and Repeated.
        """
        await self._completion.run(self._unlink(issuer, subject, answer_to(request, b"")))

    async def _link(self, identity: Identity, request: Request | None) -> Identity:
        def answer(made: Identity) -> Answer | None:
            return answer_to(request, _written(made))

        with self._events.recording(linked) as records:
            stored = await self._store.add(identity, MOST_IDENTITIES, records, answer)
        if stored is None:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit="identities")
        return stored

    async def _unlink(self, issuer: str, subject: str, answer: Answer | None) -> None:
        now = self._now()
        with self._events.recording(_unlinked) as records:
            found = await self._store.remove(issuer, subject, now, records, answer)
        if found is None:
            raise not_found(f"identities/{subject}")
        await self._endings.announce(found[1])

    async def list_of(self, caller: Principal, named: str) -> list[Identity]:
        """The caller's identities, or for an operator anyone's, the newest first.

        Raises DomainError NOT_FOUND.
        """
        return await self._store.list_of(await whose(caller, named, self._users))


def _written(identity: Identity) -> bytes:
    """What the request for an identity does not say of it."""
    return json.dumps([identity.provider, identity.create_time, identity.last_use_time]).encode()


def _read(identity: Identity, written: bytes) -> Identity:
    provider, created, used = json.loads(written)
    return replace(identity, provider=provider, create_time=created, last_use_time=used)


def _unlinked(removed: tuple[Identity, list[Session]]) -> list[SecurityEvent]:
    identity, ended = removed
    unlinked = IdentityUnlinked(identity.provider, identity.issuer, identity.subject)
    return [SecurityEvent(unlinked, identity.user_id), *ends(ended)]
