"""What every call passes before its handler: from outside, and within this process."""

from antiphon_server.auth.adapters.recorded_policy import RecordedPolicy
from antiphon_server.auth.adapters.recorded_rate_limits import RecordedRateLimits
from antiphon_server.auth.compose.guarding import Guarding
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.limits.counted_calls import CountedCalls
from antiphon_server.runtime.limits.share_interceptor import ShareInterceptor
from antiphon_server.runtime.net.addresses import Callers
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.interceptors.tracing import TracingInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.settings import Settings


def guarded(
    settings: Settings,
    infrastructure: Infrastructure,
    auth: Guarding,
    callers: TokenVerifier,
    policy: AccessPolicy,
    counted: CountedCalls | None,
) -> LocalServer:
    """For calls of anybody: who it is, whether they may, how often, and whose turn it is.

    ``callers`` knows who. Those that other servers pass on have been ``counted`` there.
    """
    guard, tracing = infrastructure.guard, infrastructure.tracing
    # Operators at a console want to see what went wrong; machines, and who develops, see all.
    every_call = (
        not settings.in_production or settings.log_format == "json" or settings.log_file is not None
    )
    guard.listen(RecordedRateLimits(auth.coalesced))
    return LocalServer(
        [
            *([TracingInterceptor(tracing.provider)] if tracing else []),
            TelemetryInterceptor(infrastructure.metrics, every_call=every_call),
            ErrorInterceptor(),
            AddressInterceptor(Callers(settings.behind_proxy, settings.proxy_networks())),
            guard.interceptor("address", counted),
            AuthenticationInterceptor(callers),
            guard.interceptor("principal", counted),
            ShareInterceptor(infrastructure.shares),
            ValidationInterceptor(),
            AccessInterceptor(RecordedPolicy(policy, auth.coalesced)),
        ]
    )


def unguarded() -> LocalServer:
    """For what the guards of every call ask themselves."""
    return LocalServer([ErrorInterceptor()])


def inside(service: str) -> LocalServer:
    """The way for one service of this process to the others: no guard asks who it is again."""
    caller = Principal("service", UserId(service), SessionId(""))
    return LocalServer([ErrorInterceptor(), CallerInterceptor(caller)])
