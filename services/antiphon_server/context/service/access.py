"""Who may do what: the same rule for every kind of resource."""

from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.context.ports import Records
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.principal import Principal, UserId

_PERMISSIONS = {
    Role.VIEWER: "READ",
    Role.MEMBER: "WRITE",
    Role.ADMIN: "MANAGE",
    Role.OWNER: "MANAGE",
}


def require(records: Records, principal: Principal, resource: str, least: Role) -> Role:
    """The caller's effective role on ``resource``, if it is ``least`` or more.

    Services of this installation count as owners. Raises DomainError NOT_FOUND if there
    is no such resource or the caller has no role on it, PERMISSION_DENIED if the role
    is too small.
    """
    standing = records.members.standing(principal.user_id, ResourceId(resource))
    if standing is None:
        raise not_found(resource)
    return role_of_at_least(principal, resource, standing.effective, least)


def role_of_at_least(principal: Principal, resource: str, held: Role, least: Role) -> Role:
    """The role that counts for a caller who was given ``held``, if it is ``least`` or more.

    Raises as :func:`require`.
    """
    role = Role.OWNER if principal.kind == "service" else held
    if principal.kind == "anonymous" or role is Role.NONE:
        raise not_found(resource)
    if role < least:
        raise denied(least)
    return role


def denied(least: Role) -> DomainError:
    """The caller knows the resource but would need ``least`` on it."""
    return DomainError(Reason.PERMISSION_DENIED, permission=_PERMISSIONS[least])


def owner_of_new(principal: Principal) -> UserId:
    """Who owns what the caller makes. Raises DomainError PERMISSION_DENIED for services."""
    if principal.kind != "user":
        raise DomainError(Reason.PERMISSION_DENIED, permission="AUTHENTICATED")
    return principal.user_id
