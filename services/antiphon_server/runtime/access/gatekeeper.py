"""The access policy where no call of its own asks: on streams, and after a wait."""

import time
from functools import cache

from antiphon_server.runtime.access.permissions import Permission, Rule, Scope
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier, rule_of
from antiphon_server.runtime.errors import DomainError, Reason

READ_EVENTS = "/antiphon.events.v1.EventService/ReadEvents"
DISPATCH = "/antiphon.dispatcher.v1.DispatcherService/Dispatch"
CREATE = "/antiphon.context.v1.ContextService/CreateConversation"

_MEMBERS = (Permission.WRITE, Permission.READ_MEMBERS)
"""What members, admins and owners may, and neither guests nor viewers."""

_rule_of = cache(rule_of)  # not at the start: not every process knows every contract


class PolicyGatekeeper:
    """The gatekeeper of events and dispatcher: to watch is to read, a message is a Dispatch."""

    def __init__(self, policy: AccessPolicy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier

    async def check_read(self, principal: Principal, scope: str) -> None:
        """Return if ``principal`` may read the scope now; raises as its declared rule says."""
        enforce(await self._policy.decide(principal, _rule_of(READ_EVENTS), scope))

    async def check_write(self, principal: Principal, conversation_id: str) -> None:
        """The same for posting to the conversation; raises TOKEN_EXPIRED, too."""
        if time.time() >= principal.expires_at:
            raise DomainError(Reason.TOKEN_EXPIRED)
        enforce(await self._policy.decide(principal, _rule_of(DISPATCH), conversation_id))

    async def check_create(self, principal: Principal, workspace_id: str) -> None:
        """The same for making a conversation in the workspace."""
        enforce(await self._policy.decide(principal, _rule_of(CREATE), workspace_id))

    async def check_role(
        self, principal: Principal, conversation_id: str, *, admin: bool, reads: bool = False
    ) -> None:
        """Return if ``principal`` is a member there who may write, no guest; or an ``admin``."""
        scope = Scope.READ if reads else Scope.WRITE
        for permission in (Permission.MANAGE,) if admin else _MEMBERS:
            rule = Rule(permission, scope=scope)
            enforce(await self._policy.decide(principal, rule, conversation_id))

    async def verify(self, access_token: str) -> Principal:
        """Return who the token speaks for. Raises what the verifier raises."""
        return await self._verifier.verify(access_token)
