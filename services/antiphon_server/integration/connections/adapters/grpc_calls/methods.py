"""Methods of a server's services as tools: their names, definitions, and messages as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.descriptor_pool import DescriptorPool

from antiphon_server.integration.connections.adapters.grpc_calls.comments import (
    Comments,
    comments,
)
from antiphon_server.integration.connections.adapters.grpc_calls.files import Files
from antiphon_server.integration.connections.adapters.grpc_calls.schemas import Schemas, is_object
from antiphon_server.integration.tools.model import Annotations, Definition, Json, SourceName
from antiphon_server.integration.tools.model import ToolName as Name
from antiphon_server.integration.tools.untrusted import MOST_TOOLS, Accepted, accepted

MESSAGES = "messages"
"""The member that a stream's answers are in."""


@dataclass(frozen=True)
class Method:
    """One that is a tool; ``pool`` is where its messages are described."""

    name: Name
    path: str
    streams: bool
    request: Descriptor
    response: Descriptor
    pool: DescriptorPool

    def encoded(self, arguments: Mapping[str, Json]) -> bytes:
        """The request. Raises json_format.ParseError and others for what it can't be."""
        told: Any = arguments if is_object(self.request) else arguments["value"]
        made = json_format.ParseDict(told, self._request_class(), descriptor_pool=self.pool)
        encoded: bytes = made.SerializeToString()
        return encoded

    def decoded(self, answer: bytes) -> Json:
        """An answer, with the fields that have no value of their own. Raises all kinds of errors
        for what is no such message.
        """
        made = self._response_class.FromString(answer)
        told: Json = json_format.MessageToDict(
            made, always_print_fields_with_no_presence=True, descriptor_pool=self.pool
        )
        return told if self.streams or is_object(self.response) else {"value": told}

    @cached_property
    def _request_class(self) -> Any:
        return message_factory.GetMessageClass(self.request)

    @cached_property
    def _response_class(self) -> Any:
        return message_factory.GetMessageClass(self.response)


@dataclass(frozen=True, slots=True)
class Methods:
    """Those of a server; ``streaming`` counts those that take streams, which are left out."""

    by_name: Mapping[Name, Method]
    told: Accepted
    streaming: int = 0


def methods_of(source: SourceName, services: Sequence[str], files: Files) -> Methods:
    """All methods of these services. Raises Unusable."""
    declared = files.declaring(set(services))
    pool = files.pool(declared.values())
    found = [pool.FindServiceByName(name) for name in services if name in declared]
    named = list(_named(source, found))
    taken = [(name, it) for name, it in named if not it.client_streaming]
    by_name = {name: _method(name, it, pool) for name, it in taken[:MOST_TOOLS]}
    said = comments(files.parsed.values())
    told = accepted(_definitions(by_name, (it for _, it in taken), said))
    more = max(len(taken) - MOST_TOOLS, 0)
    kept = Accepted(told.definitions, told.refused, told.left_out + more)
    return Methods(by_name, kept, len(named) - len(taken))


def _named(
    source: SourceName, services: Iterable[ServiceDescriptor]
) -> Iterator[tuple[Name, MethodDescriptor]]:
    """By their services' own names; by full ones where two services have the same."""
    services = list(services)
    times = Counter(service.name for service in services)
    for service in services:
        name = service.name if times[service.name] == 1 else service.full_name
        for method in service.methods:
            yield Name(f"{source}.{name}.{method.name}"), method


def _method(name: Name, it: MethodDescriptor, pool: DescriptorPool) -> Method:
    path = f"/{it.containing_service.full_name}/{it.name}"
    return Method(name, path, it.server_streaming, it.input_type, it.output_type, pool)


def _definitions(
    methods: Mapping[Name, Method], described: Iterable[MethodDescriptor], said: Comments
) -> Iterator[Definition]:
    schemas = Schemas(said)
    for method, it in zip(methods.values(), described, strict=False):
        comment = said.get(f"{it.containing_service.full_name}.{it.name}", "")
        about = said.get(it.containing_service.full_name, "")
        yield Definition(
            method.name,
            comment or about,
            schemas.schema_of(method.request),
            schemas.schema_of(method.response, listed=MESSAGES if method.streams else ""),
            method.path.removeprefix("/"),
            _annotations(it),
        )


def _annotations(method: MethodDescriptor) -> Annotations:
    level = method.GetOptions().idempotency_level
    reads = level == MethodOptions.NO_SIDE_EFFECTS
    return Annotations(reads, not reads, reads or level == MethodOptions.IDEMPOTENT)


def spelled(value: Json) -> str:
    """A result as text."""
    return json.dumps(value, ensure_ascii=False)
