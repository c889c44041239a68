"""Addresses as people write them -> channels."""

import json

import grpc

from antiphon_client.contracts import repeatable_rpcs
from antiphon_client.tls import Tls

DEFAULT_PORT = 7450
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024

# How long all tries take together: 0.7 s, and 5 s, in which a service is started again.
_BACKOFF = {"maxAttempts": 4, "initialBackoff": "0.1s", "backoffMultiplier": 2}
_PATIENT_BACKOFF = {"maxAttempts": 5, "initialBackoff": "0.2s", "backoffMultiplier": 2.5}


def service_config(*, spread: bool = False, patient: bool = False) -> str:
    """How calls are retried: UNAVAILABLE only, and only what may be repeated (gRFC A6).

    With ``spread`` each call goes to the next of all addresses that a name has. One who is
    ``patient`` waits for a service that is started again.
    """
    names = [{"service": service, "method": method} for service, method in repeatable_rpcs()]
    policy = {
        **(_PATIENT_BACKOFF if patient else _BACKOFF),
        "maxBackoff": "4s",
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config: dict[str, object] = {"methodConfig": [{"name": names, "retryPolicy": policy}]}
    if spread:
        config["loadBalancingConfig"] = [{"round_robin": {}}]
    return json.dumps(config)


def open_channel(
    address: str,
    tls: Tls | None = None,
    *,
    spread: bool = False,
    patient: bool = False,
    ping_after_ms: int = 20_000,
    pong_within_ms: int = 10_000,
) -> grpc.aio.Channel:
    """A channel to ``host:port``, ``http://host:port`` or ``https://host:port`` (TLS).

    It notices a dead connection within both times together, 30 s, and connects again
    without long pauses. With ``tls`` it is TLS however the address is written. ``spread`` is
    for a name behind which several servers stand; of one server with several addresses, such as
    ``localhost``, errors would be those of any of them. ``patient`` is for who is no service
    itself: of several in a row one should be.
    """
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", service_config(spread=spread, patient=patient)),
        ("grpc.keepalive_time_ms", ping_after_ms),
        ("grpc.keepalive_timeout_ms", pong_within_ms),
        # The one above alone ends nothing (grpc/grpc#39239).
        ("grpc.http2.ping_timeout_ms", pong_within_ms),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5_000),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    scheme, _, rest = address.rpartition("://")
    if tls is not None or scheme == "https":
        tls = tls or Tls()
        return grpc.aio.secure_channel(rest, tls.credentials(), [*options, *tls.options()])
    return grpc.aio.insecure_channel(rest, options)
