"""An engine outside that has a say in who may do what, asked by ``auth.v1.PolicyService``."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import policy_service_pb2 as pb
from antiphon_server.runtime.access.permissions import Rule
from antiphon_server.runtime.access.policy import Decision, Question, Verdict
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.loopback import is_loopback

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.policy_service_pb2_grpc import PolicyServiceAsyncStub

TIMEOUT_S = 1.0
MOST_REMARKS = 8
LONGEST_REMARK = 200
_KINDS = {
    "user": pb.CALLER_KIND_USER,
    "service": pb.CALLER_KIND_SERVICE,
    "grant": pb.CALLER_KIND_GRANT,
}

log = logging.getLogger(__name__)


class RemotePolicy:
    """An AccessPolicy: ``roles``, and then the engine.

    What roles and scopes refuse stays refused, and the engine is not asked. It fails
    closed: raises DomainError POLICY_UNAVAILABLE if the engine does not answer within
    ``timeout_s`` seconds, or with anything but a decision.
    """

    def __init__(
        self, roles: AccessPolicy, engine: "PolicyServiceAsyncStub", timeout_s: float = TIMEOUT_S
    ) -> None:
        self._roles = roles
        self._engine = engine
        self._timeout_s = timeout_s

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        decision = await self._roles.decide(principal, rule, resource)
        if not decision.allowed or principal.kind == "anonymous":
            return decision
        answer = await self._ask(decision.question)
        remarks = tuple(remark[:LONGEST_REMARK] for remark in answer.reasons[:MOST_REMARKS])
        verdict = Verdict.ALLOWED if answer.allowed else Verdict.DENIED
        said = f"the engine outside {'allows' if answer.allowed else 'refuses'} it"
        return replace(decision, verdict=verdict, remarks=(said, *remarks))

    async def _ask(self, question: Question) -> pb.DecideResponse:
        try:
            return await self._engine.Decide(request_of(question), timeout=self._timeout_s)
        except (grpc.aio.AioRpcError, grpc.aio.UsageError) as error:
            log.warning("the policy engine does not answer: %s", type(error).__name__)
            raise DomainError(Reason.POLICY_UNAVAILABLE, retry_after=1.0) from error


def request_of(question: Question) -> pb.DecideRequest:
    """The question as the contract writes it."""
    caller, rule, scopes = question.principal, question.rule, question.principal.scopes
    return pb.DecideRequest(
        caller=_KINDS[caller.kind],
        caller_id=caller.grant.turn_id if caller.grant else caller.user_id,
        operator=caller.operator,
        limited=scopes is not None,
        scopes=[access_pb2.Scope.ValueType(one.value) for one in scopes or ()],
        rpc=rule.method,
        permission=access_pb2.Permission.ValueType(rule.permission.value),
        scope=access_pb2.Scope.ValueType(rule.scope.value),
        resource=question.resource,
        role=access_pb2.Role.ValueType(question.held.role.value),
        granted_on=question.held.granted_on,
    )


def engine_channel(address: str) -> grpc.aio.Channel:
    """Open a channel to the policy engine: without TLS on this machine only."""
    if is_loopback(address.rpartition(":")[0].strip("[]")):
        return grpc.aio.insecure_channel(address)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials())
