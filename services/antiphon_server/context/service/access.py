"""Who may do what, asked again inside the transaction that does it."""

from dataclasses import replace

from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.context.ports import Records
from antiphon_server.runtime.access.permissions import Permission, rule_for
from antiphon_server.runtime.access.policy import Held, Question, decide, enforce
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason, not_found


def require(records: Records, principal: Principal, resource: str, permission: Permission) -> Role:
    """The caller's role on ``resource``, if it will do for the permission.

    Services of this installation count as owners. Raises DomainError NOT_FOUND if there
    is no such resource or the caller has no role on it, PERMISSION_DENIED if the role
    will not do.
    """
    asked = ResourceId(resource)
    roles = records.members.assigned_roles(principal.user_id, asked)
    if roles is None:
        raise not_found(resource)
    return role_that_may(principal, resource, roles.held(asked), permission)


def role_that_may(principal: Principal, resource: str, held: Held, permission: Permission) -> Role:
    """The role that counts for a caller who holds ``held``, if it will do for the permission.

    Raises as :func:`require`, and UNAUTHENTICATED.
    """
    # Whether an RPC is for grants was asked before: here one reads its own, and does nothing else.
    rule = replace(rule_for(permission), grant=permission is Permission.READ)
    enforce(decide(Question(principal, rule, resource, held)))
    return Role.OWNER if principal.kind == "service" else held.role


def denied(permission: Permission) -> DomainError:
    """The caller knows the resource but would need more on it."""
    return DomainError(Reason.PERMISSION_DENIED, permission=permission.name)


def owner_of_new(principal: Principal) -> UserId:
    """Who owns what the caller makes. Raises DomainError PERMISSION_DENIED for services."""
    if principal.kind != "user":
        raise denied(Permission.AUTHENTICATED)
    return principal.user_id
