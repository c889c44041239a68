"""Workers, what they may do, and of what they are versions."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NewType, TypeAlias

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


class Release(NamedTuple):
    """A version of a deployment."""

    deployment: str
    version: str


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A version of which workers of a parent's handlers are, or were.

    ``number`` counts versions as they first came; times are in Unix microseconds.
    """

    parent: Parent
    deployment: str
    version: str
    number: int
    first_seen_us: int
    seen_us: int

    @property
    def release(self) -> Release:
        """Of what it is which version."""
        return Release(self.deployment, self.version)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Which versions begin turns: ``percent`` of the conversations are ``ramping``'s.

    Without ``current`` it is automatic: the newest does.
    """

    parent: Parent
    deployment: str
    current: str = ""
    ramping: str = ""
    percent: int = 0

    @property
    def etag(self) -> str:
        """What tells it from others of the deployment."""
        said = "\0".join((self.current, self.ramping, str(self.percent)))
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class VersionsOf:
    """A parent's, as they are stored; ``turns`` says how many have each that have not ended."""

    seen: Collection[SeenVersion]
    rollouts: Collection[Rollout]
    turns: Mapping[Release, int]


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn's attempt has a worker of that version, for a parent's handler."""

    turn_id: str
    conversation_id: str
    attempt: int
    parent: Parent
    release: Release
