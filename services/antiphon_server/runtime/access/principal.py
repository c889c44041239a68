"""Who is calling, as the access interceptor found it."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, NewType

from antiphon_server.runtime.access.permissions import Scope

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a turn's worker may act on: one attempt of the turn, where it runs, and who pays."""

    turn_id: str
    conversation_id: str
    workspace_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    ``kind`` is "user" for people and programs, "service" for a part of this
    installation, "grant" for a turn's worker, "anonymous" for a call to a public RPC without
    credentials. A ``grant`` is there for the third alone, whose user is the turn's, if it has one.
    ``expires_at`` is the token's expiry in Unix seconds. ``scopes`` are what a limited
    credential was granted; None means everything that its owner may. ``api_keys`` is the API
    key that opened its session, behind those that this was made with, the first of all first.
    """

    kind: Literal["user", "service", "grant", "anonymous"]
    user_id: UserId
    session_id: SessionId
    operator: bool = False
    expires_at: float = float("inf")
    scopes: frozenset[Scope] | None = None
    api_keys: tuple[str, ...] = ()
    grant: Grant | None = None

    @property
    def actor(self) -> str:
        """How events name the caller."""
        return f"turns/{self.grant.turn_id}" if self.grant else f"{self.kind}s/{self.user_id}"

    @property
    def counted_as(self) -> str:
        """Whose calls these are where they are limited: a worker's are its turn's user's."""
        return f"users/{self.user_id}" if self.grant and self.user_id else self.actor

    @property
    def operates(self) -> bool:
        """Whether this credential may administer the installation.

        An operator's limited credential may not, unless it was granted that.
        """
        return self.operator and (self.scopes is None or Scope.OPERATE in self.scopes)


ANONYMOUS = Principal("anonymous", UserId(""), SessionId(""))

_current: ContextVar[Principal] = ContextVar("principal", default=ANONYMOUS)


def current_principal() -> Principal:
    """The caller of the RPC that this task is handling."""
    return _current.get()


def set_principal(principal: Principal) -> None:
    """Set the caller for the rest of this task. Only the authentication interceptor calls it."""
    _current.set(principal)


def asked_for(user_id: str) -> str:
    """For whom the caller asks: a service for whom it says, everybody else for themselves."""
    caller = current_principal()
    return user_id if caller.kind == "service" else caller.user_id


def asked_with(api_keys: Iterable[str]) -> tuple[str, ...]:
    """The API keys that the caller asks with: as :func:`asked_for`, so nobody names another's."""
    caller = current_principal()
    return tuple(api_keys) if caller.kind == "service" else caller.api_keys
