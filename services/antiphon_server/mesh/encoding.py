"""The contract's messages <-> the registry's types."""

from antiphon.mesh.v1 import instance_pb2 as pb
from antiphon_server.mesh.instances import Announced, Key, Load, Rates, Registered, Seen, State
from antiphon_server.mesh.model import Address
from antiphon_server.runtime.rpc.times import timestamp

_MICROS = 1_000_000


def announced(instance: pb.Instance) -> Announced:
    """What an instance says of itself."""
    load = instance.load
    return Announced(
        Key(instance.service, instance.node_id),
        Address(instance.host, instance.port),
        State(instance.state),
        instance.version,
        Load(load.ended_rpcs, load.failed_rpcs, load.running_rpcs),
    )


def announcement(instance: Announced) -> pb.Instance:
    """The same, to be sent."""
    load = instance.load
    return pb.Instance(
        service=instance.key.service,
        node_id=instance.key.node_id,
        host=instance.address.host,
        port=instance.address.port,
        version=instance.version,
        state=pb.InstanceState.ValueType(instance.state.value),
        load=pb.Load(ended_rpcs=load.ended, failed_rpcs=load.failed, running_rpcs=load.running),
    )


def registered(known: Registered, seen: Seen | None = None) -> pb.Instance:
    """What the registry and the edge know of an instance, to be sent."""
    found = announcement(known.announced)
    found.register_time.CopyFrom(timestamp(int(known.registered * _MICROS)))
    found.renew_time.CopyFrom(timestamp(int(known.renewed * _MICROS)))
    found.rates.CopyFrom(_rates(known.rates))
    if seen is not None:
        view = pb.EdgeView(
            healthy=seen.healthy, rates=_rates(seen.rates), running_rpcs=seen.running
        )
        found.edge.CopyFrom(view)
    return found


def _rates(rates: Rates) -> pb.Rates:
    return pb.Rates(rpcs_per_s=rates.rpcs, failures_per_s=rates.failures)
