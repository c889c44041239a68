"""What Envoy refuses by itself: too many calls, and tokens that nobody here has signed.

Servers judge everything again. This keeps from them what they would refuse anyway.
"""

from envoy_data_plane.envoy.config.core.v3 import (
    HttpUri,
    RuntimeFractionalPercent,
)
from envoy_data_plane.envoy.config.route.v3 import (
    HeaderMatcher,
    RateLimit,
    RateLimitAction,
    RateLimitActionMaskedRemoteAddress,
    RouteMatch,
)
from envoy_data_plane.envoy.extensions.common.ratelimit.v3 import (
    LocalRateLimitDescriptor,
    RateLimitDescriptorEntry,
)
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import (
    JwksAsyncFetch,
    JwtAuthentication,
    JwtHeader,
    JwtProvider,
    JwtRequirement,
    RemoteJwks,
    RequirementRule,
)
from envoy_data_plane.envoy.extensions.filters.http.local_ratelimit.v3 import LocalRateLimit
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import FractionalPercent, TokenBucket

from antiphon_server.mesh.contracts import Rpc
from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.clusters import KEYS
from antiphon_server.mesh.edge.terms import packed, seconds
from antiphon_server.mesh.model import CallRates, Edge
from antiphon_server.runtime.access.grants import PREFIX

_PROVIDER = "antiphon"
_ADDRESS = "masked_remote_address"
_NETWORK_BITS = 64
"""Who owns one IPv6 address owns its network."""


def guards(edge: Edge) -> list[HttpFilter]:
    """Those that this edge has."""
    return [
        *([_rate_limit(edge.rates)] if edge.rates else []),
        *([_tokens(edge)] if edge.keys else []),
    ]


def _rate_limit(rates: CallRates) -> HttpFilter:
    """A bucket for all, and one for each address of those that called last."""
    one = LocalRateLimitDescriptor(
        entries=[RateLimitDescriptorEntry(key=_ADDRESS)],  # without a value: each its own
        token_bucket=_bucket(rates.of_one),
    )
    where = RateLimitActionMaskedRemoteAddress(v6_prefix_mask_len=_NETWORK_BITS)
    settings = LocalRateLimit(
        stat_prefix="edge",
        token_bucket=_bucket(rates.of_all),
        filter_enabled=_always(),
        filter_enforced=_always(),
        descriptors=[one],
        rate_limits=[RateLimit(actions=[RateLimitAction(masked_remote_address=where)])],
        max_dynamic_descriptors=limits.ADDRESSES,
        always_consume_default_token_bucket=True,
        rate_limited_as_resource_exhausted=True,
    )
    return HttpFilter(name="envoy.filters.http.local_ratelimit", typed_config=packed(settings))


def _bucket(rate: int) -> TokenBucket:
    """So many a second, and as many again after a quiet second."""
    rate = rate or limits.UNLIMITED
    return TokenBucket(max_tokens=2 * rate, tokens_per_fill=rate, fill_interval=seconds(1))


def _always() -> RuntimeFractionalPercent:
    return RuntimeFractionalPercent(default_value=FractionalPercent(numerator=100))


def _tokens(edge: Edge) -> HttpFilter:
    """Whether a token was signed here. For whom, and when it ended, servers say in their words."""
    provider = JwtProvider(
        issuer="antiphon",
        forward=True,
        # Its case means nothing (RFC 9110, 11.1), but Envoy compares it as it is written: these
        # two are what clients write.
        from_headers=[
            JwtHeader(name="authorization", value_prefix=f"{scheme} ")
            for scheme in ("Bearer", "bearer")
        ],
        clock_skew_seconds=limits.EXPIRED_S,
        remote_jwks=RemoteJwks(
            http_uri=HttpUri(uri=f"http://{KEYS}/keys", cluster=KEYS, timeout=seconds(1)),
            cache_duration=seconds(limits.KEYS_S),
            async_fetch=JwksAsyncFetch(
                fast_listener=True, failed_refetch_duration=seconds(limits.KEYS_AGAIN_S)
            ),
        ),
    )
    settings = JwtAuthentication(
        providers={_PROVIDER: provider},
        rules=[
            *(RequirementRule(match=_with_grant(rpc.path)) for rpc in _guarded(edge) if rpc.grant),
            *(
                RequirementRule(match=_exactly(rpc.path), requires=_needed())
                for rpc in _guarded(edge)
            ),
        ],
        strip_failure_response=True,
    )
    return HttpFilter(name="envoy.filters.http.jwt_authn", typed_config=packed(settings))


def _guarded(edge: Edge) -> list[Rpc]:
    """What the contracts let nobody call without a token, and the edge lets through at all."""
    return [rpc for rpc in edge.contracts.rpcs if not (rpc.public or rpc.internal)]


def _with_grant(path: str) -> RouteMatch:
    """A call with the grant of a turn, which no public key verifies: servers judge it alone."""
    begins = StringMatcher(prefix=f"Bearer {PREFIX}", ignore_case=True)
    return RouteMatch(path=path, headers=[HeaderMatcher(name="authorization", string_match=begins)])


def _exactly(path: str) -> RouteMatch:
    return RouteMatch(path=path)


def _needed() -> JwtRequirement:
    return JwtRequirement(provider_name=_PROVIDER)
