"""That somebody's role changed, for those who keep account of it."""

from dataclasses import dataclass

from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.runtime.principal import Principal, UserId


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Who gave whom which role on what, and what it was before; NONE is no role."""

    by: Principal
    resource: ResourceId
    user_id: UserId
    before: Role
    after: Role
