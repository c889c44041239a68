"""That somebody's role changed, for those who keep account of it."""

from dataclasses import dataclass

from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.runtime.access.principal import SessionId, UserId


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Who gave whom which role on what, and what it was before; NONE is no role.

    ``entry_id`` makes telling it idempotent. ``actor``, ``session_id`` and ``address`` are the
    caller's, whose call may be long over when it is told.
    """

    entry_id: str
    actor: str
    session_id: SessionId
    address: str
    resource: ResourceId
    user_id: UserId
    before: Role
    after: Role
