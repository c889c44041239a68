"""Changes of an account, and what they end."""

from dataclasses import dataclass

from antiphon_server.auth.model import KeyId, Session, User


@dataclass(frozen=True, slots=True)
class UserChange:
    """An account before and after a change, and what it ended."""

    before: User
    after: User
    ended: tuple[Session, ...] = ()
    ended_keys: tuple[KeyId, ...] = ()


def ends_sessions(before: User, after: User) -> bool:
    """Whether sessions opened before the change may not go on.

    Their tokens would say more than is true (an operator's), or they were opened by
    somebody who may no longer sign in, or by a password that may be known to others.
    """
    demoted = before.operator and not after.operator
    shut_out = after.disabled and not before.disabled
    return demoted or shut_out or after.password_version != before.password_version


def may_open(user: User, password_version: int | None) -> bool:
    """Whether a session may be opened by who proved to be the user a moment ago.

    ``password_version`` is the user's then; None if it does not matter.
    """
    return not user.disabled and password_version in (None, user.password_version)
