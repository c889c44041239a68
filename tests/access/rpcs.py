"""Every RPC there is: of our contracts, and of those of others that the server serves."""

import importlib

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.e2e.contracts import Rpc
from tests.repository.files import ROOT

# The contracts of an engine and of filters outside, and of the mesh's control plane: servers call
# them.
NOT_SERVED = (
    "antiphon.auth.v1.PolicyService",
    "antiphon.context.v1.RemoteFilterService",
    "antiphon.memory.v1.ExternalMemoryService",
    "antiphon.mesh.v1.RegistryService",
)
# The same as v1alpha's, under a name that has no descriptors in the packages.
OTHER_NAME = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
# What takes things out of use comes last, and the end of sessions after that.
_LAST = ("Archive", "Rotate")
ENDS_SESSIONS = ("Logout", "RevokeAllSessions", "ChangePassword")


def served_rpcs() -> list[Rpc]:
    """All of them, in an order in which each still finds what it is about."""
    generated = ROOT / "gen"
    files = [health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR]
    for file in sorted(generated.glob("antiphon/**/*_service_pb2.py")):
        name = ".".join(file.relative_to(generated).with_suffix("").parts)
        files.append(importlib.import_module(name).DESCRIPTOR)
    services = [service for file in files for service in file.services_by_name.values()]
    rpcs = [Rpc(method) for service in services for method in service.methods]
    kept = [rpc for rpc in rpcs if rpc.method.containing_service.full_name not in NOT_SERVED]
    return sorted(kept, key=_place)


def _place(rpc: Rpc) -> int:
    name = rpc.method.name
    return 2 if name in ENDS_SESSIONS else int(name.startswith(_LAST))


def short_name(rpc: Rpc) -> str:
    """``Service/Method``."""
    return f"{rpc.method.containing_service.name}/{rpc.method.name}"
