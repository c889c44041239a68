"""Who is calling, as the access interceptor found it."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, NewType

from antiphon_server.runtime.access.permissions import Scope

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    ``kind`` is "user" for people and programs, "service" for a part of this
    installation, "anonymous" for a call to a public RPC without credentials.
    ``expires_at`` is the token's expiry in Unix seconds. ``scopes`` are what a limited
    credential was granted; None means everything that its owner may. ``api_keys`` is the API
    key that opened its session, behind those that this was made with, the first of all first.
    """

    kind: Literal["user", "service", "anonymous"]
    user_id: UserId
    session_id: SessionId
    operator: bool = False
    expires_at: float = float("inf")
    scopes: frozenset[Scope] | None = None
    api_keys: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """How events name the caller."""
        return f"{self.kind}s/{self.user_id}"

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
