"""A policy over roles that are given beforehand: no store, the real decision."""

from collections.abc import Mapping

from antiphon_server.runtime.access.permissions import Role, Rule
from antiphon_server.runtime.access.policy import NO_ROLE, Decision, Held, Question, decide
from antiphon_server.runtime.access.principal import Principal


class FixedRoles:
    """An AccessPolicy under which every user has the roles of ``on``, by resource."""

    def __init__(self, on: Mapping[str, Role] | None = None) -> None:
        self._on = on or {}
        self.asked: list[tuple[Principal, Rule, str]] = []

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """See :meth:`AccessPolicy.decide`; what was asked is kept."""
        self.asked.append((principal, rule, resource))
        held = Held(self._on[resource], resource) if resource in self._on else NO_ROLE
        return decide(Question(principal, rule, resource, held))
