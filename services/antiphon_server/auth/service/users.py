"""Accounts."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from antiphon_server.auth.model import Request, User, UserKind
from antiphon_server.auth.model.requests import Repeated, answer_to
from antiphon_server.auth.model.security_events import SecurityEvent, UserCreated
from antiphon_server.auth.ports import Clock, UserStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.requests import Requests
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found

_NAME = re.compile(r"[0-9a-z._@-]{1,64}", re.ASCII)


def fold_name(name: str) -> str:
    """The one spelling of a user's name."""
    return name.lower()


def possible_name(folded: str) -> bool:
    """Whether an account may have this folded name."""
    return _NAME.fullmatch(folded) is not None


def printable(text: str) -> str:
    """What people may be shown of a text: no control characters."""
    return "".join(character for character in text if character.isprintable())


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to create. With an empty password, only API keys sign in.

    ``body`` is the serialized request. It distinguishes a repeated request from another one with
    the same ``request_id``. With an empty id, every request is new.
    """

    name: str
    password: str = field(default="", repr=False)
    display_name: str = ""
    operator: bool = False
    request_id: str = ""
    kind: UserKind = UserKind.PERSON
    body: bytes = field(default=b"", repr=False)


class Users:
    """Creates and finds accounts."""

    def __init__(
        self,
        store: UserStore,
        passwords: Passwords,
        requests: Requests,
        completion: Completion,
        security_events: Recorder,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._requests = requests
        self._completion = completion
        self._security_events = security_events
        self._now = micros(clock)

    async def get(self, user_id: UserId) -> User:
        """The user with that id. Raises DomainError NOT_FOUND."""
        user = await self._store.get(user_id)
        if user is None:
            raise not_found(f"users/{user_id}")
        return user

    async def named(self, name: str) -> User:
        """The user with that name, ignoring case. Raises DomainError NOT_FOUND."""
        folded = fold_name(name)
        user = await self._store.find(folded) if possible_name(folded) else None
        if user is None:
            raise not_found(f"users/{name}")
        return user

    async def names_of(self, user_ids: Collection[UserId]) -> dict[UserId, str]:
        """The display names of those users who exist."""
        return await self._store.names_of(user_ids)

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        """A page of users whose names begin with ``prefix``, ordered by name."""
        folded = fold_name(prefix)
        if folded and not possible_name(folded):
            return []
        return await self._store.list_named(folded, after, limit)

    async def create(self, caller: Principal, new: NewUser) -> User:
        """Create an account. The caller's permission was checked before.

        Raises DomainError ALREADY_EXISTS, REQUEST_ID_REUSED, INVALID_ARGUMENT, PASSWORD_BREACHED,
        OVERLOADED.
        """
        request = self._requests.of(caller, new.request_id, new.body)
        return await self._made_by(request) or await self._add(new, request)

    async def _made_by(self, request: Request | None) -> User | None:
        """The user that the same request made before."""
        response = await self._requests.response(request)
        return await self.get(UserId(response.decode())) if response is not None else None

    async def _add(self, new: NewUser, request: Request | None) -> User:
        name = fold_name(new.name)
        if not possible_name(name):
            raise invalid("name", "must be letters, digits and . _ @ -, at most 64")
        if new.password and new.kind is UserKind.PROGRAM:
            raise invalid("password", "programs have none: they sign in with API keys")
        if await self._store.find(name):
            # The same request may have made it since it was looked for.
            if earlier := await self._made_by(request):
                return earlier
            raise DomainError(Reason.ALREADY_EXISTS, resource=f"users/{name}")
        hashed = await self._hash(name, new) if new.password else None
        user = User(
            user_id=UserId(new_id("user")),
            name=name,
            display_name=printable(new.display_name) or name,
            operator=new.operator,
            password_hash=hashed,
            create_time=self._now(),
            kind=new.kind,
        )
        return await self._completion.run(self._store_new(user, request))

    async def _store_new(self, user: User, request: Request | None) -> User:
        answer = answer_to(request, user.user_id.encode())
        try:
            with self._security_events.recording(created) as records:
                return await self._store.add(user, answer, records)
        except Repeated as again:
            return await self.get(UserId(again.response.decode()))

    async def _hash(self, name: str, new: NewUser) -> str:
        await self._passwords.accept(new.password, name, new.display_name, field="password")
        with self._passwords.slot():
            return await self._passwords.hash(new.password)


def created(user: User) -> list[SecurityEvent]:
    """What is recorded of a new account."""
    return [SecurityEvent(UserCreated(user.name, user.operator), user.user_id)]
