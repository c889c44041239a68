"""Whom an identity signs in: found, or made at the first sign-in."""

from collections.abc import Callable, Sequence

from antiphon_server.auth.model import User
from antiphon_server.auth.model.identities import Identity, Vouched
from antiphon_server.auth.model.security_events import IdentityLinked, SecurityEvent
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.identities import IdentityStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.account_names import display_name_for, names_for
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.users import Users, created
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason


class Identities:
    """Finds users by their identities. Neither name nor e-mail address ever decides who it is.

    No account is called as one of the ``services``.
    """

    def __init__(
        self,
        store: IdentityStore,
        users: Users,
        completion: Completion,
        events: Recorder,
        clock: Clock,
        services: Sequence[str],
    ) -> None:
        self._store = store
        self._users = users
        self._completion = completion
        self._events = events
        self._now = micros(clock)
        self._services = services

    async def user_of(self, vouched: Vouched, *, sign_up: bool) -> User:
        """The user whom a provider vouches for; a new one if they may sign up.

        Raises DomainError IDENTITY_UNKNOWN.
        """
        found = await self._store.use(vouched.issuer, vouched.subject, self._now())
        if found is None and not sign_up:
            raise unknown(vouched)
        user_id = found.user_id if found else await self._completion.run(self._sign_up(vouched))
        return await self._users.get(user_id)

    async def linked(self, vouched: Vouched, user: User) -> bool:
        """Whether the identity still signs that user in."""
        found = await self._store.find(vouched.issuer, vouched.subject)
        return found is not None and found.user_id == user.user_id

    async def _sign_up(self, vouched: Vouched) -> UserId:
        now, new = self._now(), UserId(new_id("user"))
        identity = Identity(vouched.provider, vouched.issuer, vouched.subject, new, now, now)
        for name in names_for(vouched.names, self._services):
            user = User(
                user_id=new,
                name=name,
                display_name=display_name_for(vouched.display_name, name),
                operator=False,
                password_hash=None,
                create_time=now,
            )
            with self._events.recording(_signed_up(identity)) as records:
                user_id = await self._store.sign_up(user, identity, records)
            if user_id:
                return user_id
        raise unknown(vouched)


def linked(identity: Identity) -> list[SecurityEvent]:
    """What is recorded of an identity that signs somebody in from now on."""
    detail = IdentityLinked(identity.provider, identity.issuer, identity.subject)
    return [SecurityEvent(detail, identity.user_id)]


def _signed_up(identity: Identity) -> Callable[[User], list[SecurityEvent]]:
    return lambda user: [*created(user), *linked(identity)]


def unknown(vouched: Vouched) -> DomainError:
    """Nobody here is meant; whoever reads it can tell an operator whom to link."""
    return DomainError(
        Reason.IDENTITY_UNKNOWN,
        provider=vouched.provider,
        issuer=vouched.issuer,
        subject=vouched.subject,
    )
