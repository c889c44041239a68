"""Every RPC of every contract, found in the descriptors."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.message import Message

from antiphon.auth.v1 import access_pb2
from antiphon_client.contracts import SERVICES
from buf.validate import validate_pb2
from tests.e2e.until import PATIENCE_S
from tests.proofs.bench.processes import ROOT

STREAM_S = 5.0
SILENCE_S = 3.0
"""After which a stream that has said nothing yet has nothing to say, on a busy machine too."""
LISTEN_S = 0.3
TRIES = 5
# What grpc.aio's client says, instead of the status that the server sent, where it wrote
# to a stream in the moment in which the server ended it.
LOST_OUTCOME = "Internal error from Core"
_ID = re.compile(r"\^\(?([a-z|]+)\)?_\[")


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC: its name, and what the contract says of it."""

    method: MethodDescriptor

    @property
    def path(self) -> str:
        """Its name on the wire."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def access(self) -> access_pb2.Access:
        """Who may call it."""
        found: access_pb2.Access = self.method.GetOptions().Extensions[access_pb2.access]
        return found

    @property
    def request_type(self) -> type[Message]:
        """The class of its requests."""
        return message_factory.GetMessageClass(self.method.input_type)

    async def call(self, channel: grpc.aio.Channel, request: Message, token: str = "") -> Message:
        """Send one request and return the last answer; a stream may go on without more.

        Raises AioRpcError.
        """
        for _ in range(TRIES - 1):
            try:
                return await self._once(channel, request, token)
            except grpc.aio.AioRpcError as error:
                if error.details() != LOST_OUTCOME:
                    raise
        return await self._once(channel, request, token)

    async def _once(self, channel: grpc.aio.Channel, request: Message, token: str) -> Message:
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        kind = f"{_way(self.method.client_streaming)}_{_way(self.method.server_streaming)}"
        answer_type = message_factory.GetMessageClass(self.method.output_type)
        multi = getattr(channel, kind)(
            self.path,
            request_serializer=self.request_type.SerializeToString,
            response_deserializer=answer_type.FromString,
        )
        if not self.method.server_streaming:
            # A password is looked at behind all other work of the machine.
            answer: Message = await multi(request, metadata=metadata, timeout=PATIENCE_S)
            return answer
        sent = iter([request]) if self.method.client_streaming else request
        call = multi(sent, metadata=metadata, timeout=STREAM_S)
        last, wait_s = answer_type(), SILENCE_S
        with contextlib.suppress(TimeoutError):
            while (frame := await asyncio.wait_for(_read(call), wait_s)) is not None:
                last, wait_s = frame, LISTEN_S
        return last


async def _read(call: Any) -> Message | None:
    """The next frame; None at the end, or when there was time enough. Raises AioRpcError."""
    try:
        frame = await call.read()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        return None
    return None if frame is grpc.aio.EOF else frame


def _way(streaming: bool) -> str:
    return "stream" if streaming else "unary"


def declared_rpcs() -> list[Rpc]:
    """All RPCs of all files in proto/antiphon, whether a server of ours serves them or not."""
    contracts = ROOT / "proto"
    return [
        Rpc(method)
        for path in sorted(contracts.glob("antiphon/**/*.proto"))
        for service in _file(path.relative_to(contracts)).services_by_name.values()
        for method in service.methods
    ]


def _file(path: Path) -> FileDescriptor:
    module = import_module(".".join(path.with_suffix("").parts) + "_pb2")
    found: FileDescriptor = module.DESCRIPTOR
    return found


def every_rpc() -> list[Rpc]:
    """All RPCs of all contracts."""
    pool = descriptor_pool.Default()
    return [Rpc(method) for name in SERVICES for method in pool.FindServiceByName(name).methods]


def _prefixes() -> Iterator[str]:
    """Of the ids that requests name, as their patterns say."""
    for field in _fields([rpc.method.input_type for rpc in every_rpc()]):
        found = _ID.match(field.GetOptions().Extensions[validate_pb2.field].string.pattern)
        yield from found[1].split("|") if found else ()


def _fields(messages: Iterable[Descriptor]) -> Iterator[FieldDescriptor]:
    """Those of messages, and of all that these contain."""
    left, seen = list(messages), set[str]()
    while left:
        message = left.pop()
        if message.full_name not in seen:
            seen.add(message.full_name)
            yield from message.fields
            left += [it.message_type for it in message.fields if it.message_type is not None]


UNKNOWN_IDS = {prefix: f"{prefix}_unknown-0001" for prefix in sorted({*_prefixes()})}
"""An id of each kind that a request can name, by its prefix; nothing has it."""
