"""Workers, and what they may do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NewType, TypeAlias

from antiphon_server.runtime.access.principal import UserId

Parent = NewType("Parent", str)
"""Whose a handler is: a workspace's id, or "global" for the installation."""
HandlerName = NewType("HandlerName", str)
GLOBAL = Parent("global")
MOST_PERMISSIONS = 200
"""Of one parent."""

Known: TypeAlias = Mapping[HandlerName, Mapping[Parent, Collection[UserId]]]
"""Whose workers may serve each handler, for each parent."""


@dataclass(frozen=True, slots=True)
class WorkerPermission:
    """A user's workers may serve a handler of a parent. ``creator`` is who said so, as an actor."""

    parent: Parent
    handler: HandlerName
    user_id: UserId
    created_us: int
    creator: str
