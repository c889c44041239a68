"""Whether there is room for one more version: counted from what is stored."""

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, union

from antiphon_server.workers.adapters.tables import rollouts, versions
from antiphon_server.workers.limits import VersionLimits

_OF_DEPLOYMENT = (
    versions.c.parent == bindparam("b_parent"),
    versions.c.deployment == bindparam("b_deployment"),
)
_VERSIONS = select(func.count()).select_from(versions)
_VERSIONS_OF_DEPLOYMENT = _VERSIONS.where(*_OF_DEPLOYMENT)
_ONE_OF_DEPLOYMENT = select(versions.c.number).where(*_OF_DEPLOYMENT).limit(1)
_ROLLOUTS = (
    select(func.count())
    .select_from(rollouts)
    .where(
        rollouts.c.parent == bindparam("b_parent"),
        rollouts.c.deployment == bindparam("b_deployment"),
    )
)


def _deployments(*of: tuple[ColumnElement[bool], ColumnElement[bool]]) -> Select[int]:
    """How many there are, with those that have nothing but a rollout."""
    named = [select(it.c.parent, it.c.deployment) for it in (versions, rollouts)]
    for ofs in of:
        named = [it.where(which) for it, which in zip(named, ofs, strict=True)]
    return select(func.count()).select_from(union(*named).subquery())


_DEPLOYMENTS = _deployments()
_DEPLOYMENTS_OF_PARENT = _deployments(
    (versions.c.parent == bindparam("b_parent"), rollouts.c.parent == bindparam("b_parent"))
)


def reached(
    connection: Connection,
    limits: VersionLimits,
    parent: str,
    deployment: str,
    at_most: int | None,
) -> str | None:
    """Which limit one more version of that deployment would be above; None if there is room.

    Whoever adds one has locked what counts changes, so nobody else adds one meanwhile. None is
    counted of a deployment that is known where there are ``at_most`` so few versions at all.
    """
    at = {"b_parent": parent, "b_deployment": deployment}
    are_few = at_most is not None and at_most < min(limits.of_deployment, limits.versions)
    if are_few and connection.execute(_ONE_OF_DEPLOYMENT, at).first() is not None:
        return None

    def counted(statement: Select[int]) -> int:
        return int(connection.execute(statement, at).scalar_one())

    known = counted(_VERSIONS_OF_DEPLOYMENT)
    if known >= limits.of_deployment:
        return f"{limits.of_deployment} versions a deployment"
    if not known and not counted(_ROLLOUTS):
        if counted(_DEPLOYMENTS_OF_PARENT) >= limits.of_parent:
            return f"{limits.of_parent} deployments a parent"
        if counted(_DEPLOYMENTS) >= limits.of_installation:
            return f"{limits.of_installation} deployments an installation"
    if counted(_VERSIONS) >= limits.versions:
        return f"{limits.versions} versions an installation"
    return None
