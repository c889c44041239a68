"""Changes that operators make to accounts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from antiphon_server.auth.model import User
from antiphon_server.auth.model.security_events import (
    RevocationCause,
    SecurityEvent,
    UserDisabled,
    UserEnabled,
    UserUpdated,
)
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports import Clock, UserStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings, ends
from antiphon_server.auth.service.users import printable
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import invalid, not_found

LONGEST_DISPLAY_NAME = 128


@dataclass(frozen=True, slots=True)
class Wishes:
    """The new values of an account; None leaves a value as it is."""

    display_name: str | None = None
    operator: bool | None = None
    disabled: bool | None = None


class UserUpdates:
    """Changes accounts, and ends the sessions that a change leaves with too many rights."""

    def __init__(
        self,
        store: UserStore,
        endings: Endings,
        completion: Completion,
        events: Recorder,
        names: KnownNames,
        clock: Clock,
    ) -> None:
        self._store = store
        self._endings = endings
        self._completion = completion
        self._events = events
        self._names = names
        self._now = micros(clock)

    async def update(self, user_id: UserId, wishes: Wishes) -> User:
        """The account as it is now; whether the caller may is checked before.

        Returns when the tokens of sessions that it ended no longer work. Raises DomainError
        NOT_FOUND, LAST_OPERATOR, INVALID_ARGUMENT.
        """
        if len(wishes.display_name or "") > LONGEST_DISPLAY_NAME:
            raise invalid("user.display_name", f"at most {LONGEST_DISPLAY_NAME} characters")
        change = await self._completion.run(self._update(user_id, wishes))
        return change.after

    async def _update(self, user_id: UserId, wishes: Wishes) -> UserChange:
        try:
            with self._events.recording(_events) as records:
                change = await self._store.change(user_id, _rule(wishes), self._now(), records)
            if change is None:
                raise not_found(f"users/{user_id}")
            await self._endings.announce(change.ended)
        finally:  # whatever came of it: a commit that was not answered may have been made
            if wishes.display_name is not None:  # the same again, too: others may show another
                await self._names.forget(user_id)
        return change


def _rule(wishes: Wishes) -> Callable[[User], User]:
    def rule(user: User) -> User:
        if wishes.display_name is not None:
            user = replace(user, display_name=printable(wishes.display_name) or user.name)
        if wishes.operator is not None:
            user = replace(user, operator=wishes.operator)
        if wishes.disabled is not None:
            if wishes.disabled and not user.disabled:  # what was begun before is void
                user = replace(user, password_version=user.password_version + 1)
            user = replace(user, disabled=wishes.disabled)
        return user

    return rule


def _events(change: UserChange) -> list[SecurityEvent]:
    shut = change.after.disabled
    cause = RevocationCause.USER_DISABLED if shut else RevocationCause.RIGHTS_CHANGED
    return [*updated(change), *ends(change.ended, cause)]


def updated(change: UserChange) -> list[SecurityEvent]:
    """What is recorded of an account's new values."""
    before, after = change.before, change.after
    names = ("display_name", "operator")
    changed = tuple(name for name in names if getattr(before, name) != getattr(after, name))
    events = [SecurityEvent(UserUpdated(changed, after.operator), after.user_id)] if changed else []
    if before.disabled != after.disabled:
        detail = UserDisabled() if after.disabled else UserEnabled()
        events.append(SecurityEvent(detail, after.user_id))
    return events
