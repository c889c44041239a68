"""How many calls one address and one principal may make in a minute; docs/guides/limits.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.rules import rule_of
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.rpc.methods import HEALTH, UNKNOWN, Method

Scope = Literal["address", "principal"]
Kind = Literal["reads", "writes", "streams"]
PerMinute = Annotated[int, Meta(ge=0)]
"""Calls in 60 s; 0 is no limit."""

_READS = ("Get", "List", "Read", "Check", "Count", "Explain", "WhoAmI")
"""What names of methods that change nothing begin with; all others count as writes."""
_CHEAP = ("Refresh",)
"""Public, but refused before anything is asked unless it holds one of our own secrets."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` calls in a minute, for each address or each principal."""

    name: str
    scope: Scope
    most: int


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The setting ``ANTIPHON_RATE_LIMITS``: what it does not name keeps its default.

    ``sign_ins`` and ``calls`` are of one address; ``reads``, ``writes`` and ``streams`` (opened)
    of one principal. ``rpcs`` adds limits for methods by their full names, of one principal, or
    of one address where the method is public. Parts of this installation, this machine's own
    addresses (unless a proxy is there), and checks of the health have no limits.
    """

    enabled: bool = True
    # A tenth of what two cores can evaluate: no one address keeps all others from signing in.
    # Ten devices of one network may poll for their logins with it.
    sign_ins: PerMinute = 120
    # A network of many people has one address.
    calls: PerMinute = 120_000
    # A backend of many people speaks as one principal.
    reads: PerMinute = 120_000
    writes: PerMinute = 60_000
    # After a restart all streams are opened again: as many as the port takes at once, and more.
    streams: PerMinute = 60_000
    rpcs: dict[str, PerMinute] = {}

    def of(self, scope: Scope, method: Method) -> list[Limit]:
        """The limits of a method in a scope, the narrowest first."""
        if not self.enabled or method.name.startswith(HEALTH):
            return []
        named = self._of_address(method) if scope == "address" else self._of_principal(method)
        return [Limit(name, scope, most) for name, most in named if most]

    def check(self, methods: Iterable[str]) -> None:
        """Raises WrongSetting if a limit is for a method that is none of ``methods``."""
        for name in self.rpcs.keys() - set(methods):
            raise WrongSetting(f"rate_limits: there is no method {name!r}")

    def _of_address(self, method: Method) -> list[tuple[str, int]]:
        if not _public(method):
            return [("calls", self.calls)]
        strict = [("sign_ins", self.sign_ins)] if _signs_in(method) else []
        return [(method.name, self.rpcs.get(method.name, 0)), *strict, ("calls", self.calls)]

    def _of_principal(self, method: Method) -> list[tuple[str, int]]:
        if _public(method):
            return []
        kind = kind_of(method)
        most = {"reads": self.reads, "writes": self.writes, "streams": self.streams}[kind]
        return [(method.name, self.rpcs.get(method.name, 0)), (kind, most)]


def _public(method: Method) -> bool:
    return method is UNKNOWN or rule_of(method.name).permission is Permission.PUBLIC


def _signs_in(method: Method) -> bool:
    return kind_of(method) == "writes" and not _name(method).startswith(_CHEAP)


def kind_of(method: Method) -> Kind:
    """What a call of it counts as."""
    if method.request_streaming or method.response_streaming:
        return "streams"
    return "reads" if _name(method).startswith(_READS) else "writes"


def _name(method: Method) -> str:
    return method.name.rpartition("/")[2]
