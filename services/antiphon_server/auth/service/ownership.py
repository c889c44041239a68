"""Whose sessions, keys and identities a caller may ask about."""

from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import not_found


def administers(caller: Principal) -> bool:
    """Whether the caller may look after other people's accounts."""
    return caller.kind == "service" or caller.operates


def owns(caller: Principal, user_id: UserId) -> bool:
    """Whether that is the caller's own account."""
    return caller.kind == "user" and caller.user_id == user_id


async def whose(caller: Principal, named: str, users: Users) -> UserId:
    """The account that is meant: the caller's own if none is named.

    Raises DomainError NOT_FOUND if there is none, or it is somebody else's and the caller does
    not administer accounts.
    """
    user_id = UserId(named)
    if not named or owns(caller, user_id):
        return caller.user_id
    if not administers(caller):
        raise not_found(f"users/{named}")
    return (await users.get(user_id)).user_id
