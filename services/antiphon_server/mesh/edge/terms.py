"""Small parts that Envoy's configuration is made of again and again."""

from datetime import timedelta

from betterproto2 import Message
from envoy_data_plane.envoy.config.core.v3 import Address as EnvoyAddress
from envoy_data_plane.envoy.config.core.v3 import (
    AggregatedConfigSource,
    ApiVersion,
    ConfigSource,
    SocketAddress,
)
from envoy_data_plane.google.protobuf import Any, Struct, Value

from antiphon_server.mesh.model import Address

ADS = ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)
"""What Envoy is told on the one stream for everything."""

Plain = str | int | float | bool


def packed(message: Message) -> Any:
    """A message as one of any type, which is how Envoy takes extensions' settings."""
    return Any.pack(message)


def seconds(amount: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=amount)


def socket(address: Address) -> EnvoyAddress:
    """A TCP address."""
    return EnvoyAddress(socket_address=SocketAddress(address=address.host, port_value=address.port))


def struct(fields: dict[str, Plain]) -> Struct:
    """A flat JSON object."""
    return Struct(fields={name: _value(value) for name, value in fields.items()})


def _value(plain: Plain) -> Value:
    if isinstance(plain, bool):
        return Value(bool_value=plain)
    if isinstance(plain, str):
        return Value(string_value=plain)
    return Value(number_value=plain)
