"""An access policy whose refusals are security events."""

from antiphon_server.auth.model.security_events import AccessRefused, SecurityEvent
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.runtime.access.permissions import Rule
from antiphon_server.runtime.access.policy import Decision, enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.errors import DomainError


class RecordedPolicy:
    """An AccessPolicy that notes what another one refuses.

    One event a minute for each caller and RPC, however often they try; nobody waits for it.
    """

    def __init__(self, policy: AccessPolicy, coalesced: Coalesced) -> None:
        self._policy = policy
        self._coalesced = coalesced

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        decision = await self._policy.decide(principal, rule, resource)
        if not decision.allowed:
            self._record_refusal(principal, rule, resource, decision)
        return decision

    def _record_refusal(
        self, caller: Principal, rule: Rule, resource: str, decision: Decision
    ) -> None:
        try:
            enforce(decision)
        except DomainError as error:
            refused = AccessRefused(rule.method, rule.permission.value, resource, error.reason)
            user_id = caller.user_id if caller.kind in ("user", "grant") else ""
            event = SecurityEvent(refused, user_id)
            self._coalesced.record_soon((AccessRefused, caller.actor, rule.method), event)
