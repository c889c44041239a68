"""Gives every RPC an id, counts and times it, and writes one line about it."""

import asyncio
import re
import time
from typing import Any

import grpc

from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor
from antiphon_server.runtime.telemetry.current_rpc import HEADER, Rpc, current_request_id, set_rpc
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.runtime.telemetry.structured import structlog

_SAFE = re.compile(r"[A-Za-z0-9._:-]{8,128}", re.ASCII)
_BOUND_FIELDS = ("workspace_id", "conversation_id", "turn_id")
_LONGEST_ID = 80
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_SERVER_FAULTS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})

_NORMAL = frozenset({"OK", "CANCELLED"})


class TelemetryInterceptor(MethodInterceptor):
    """The outermost interceptor.

    The request id is the caller's ``x-request-id`` if that is safe to log, the
    surrounding RPC's for a call between services in one process, or a new one.
    Calls over the network are logged as info if they were refused or failed, and with
    ``every_call`` also if not; the others as debug.
    """

    def __init__(self, metrics: RpcMetrics, *, every_call: bool = True) -> None:
        super().__init__()
        self._metrics = metrics
        self._every_call = every_call
        self._log: Any = None

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        metrics = self._metrics.method(method.name)
        fields_of = _unbound if method.request_streaming else _FieldsOf()

        async def call(request: Any, context: Context) -> Any:
            rpc = Rpc(_request_id(context))
            before = set_rpc(rpc)
            tokens = structlog.contextvars.bind_contextvars(
                request=rpc.request_id, **fields_of(request)
            )
            begun = time.perf_counter()
            metrics.running += 1
            code = "UNKNOWN"
            try:
                response = await inner(request, context)
                code = _name(context.code())
                return response
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            except grpc.aio.AbortError:
                code = _name(context.code())
                raise
            finally:
                seconds = time.perf_counter() - begun
                metrics.ended(code, seconds)
                self._write_line(method, context, code, seconds)
                structlog.contextvars.reset_contextvars(**tokens)
                set_rpc(before)

        return call

    def _write_line(self, method: Method, context: Context, code: str, seconds: float) -> None:
        if self._log is None:
            # An unbound logger is made anew for every line, whether it is written or not.
            self._log = structlog.get_logger("antiphon.access").bind()
        if code in _SERVER_FAULTS:
            write = self._log.warning
        elif context.peer() == "local" or (code in _NORMAL and not self._every_call):
            write = self._log.debug
        else:
            write = self._log.info
        write("rpc", method=method.name, code=code, ms=round(seconds * 1000, 3))


def _request_id(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == HEADER and isinstance(value, str) and _SAFE.fullmatch(value):
            return value
    return current_request_id() or new_id("req")


def _name(code: Any) -> str:
    """The code's name; grpc.aio's context holds a number, 0 if none was set."""
    return code.name if isinstance(code, grpc.StatusCode) else _NAMES.get(code or 0, "UNKNOWN")


def _unbound(_request: Any) -> dict[str, str]:
    return {}


class _FieldsOf:
    """Finds the ids that a request type has, once per type."""

    def __init__(self) -> None:
        self._type: type | None = None
        self._fields: tuple[str, ...] = ()

    def __call__(self, request: Any) -> dict[str, str]:
        if type(request) is not self._type:
            self._type = type(request)
            self._fields = tuple(name for name in _BOUND_FIELDS if _is_text(request, name))
        return {
            name.removesuffix("_id"): value[:_LONGEST_ID]  # nothing was validated yet
            for name in self._fields
            if (value := getattr(request, name))
        }


def _is_text(request: Any, name: str) -> bool:
    descriptor = getattr(request, "DESCRIPTOR", None)
    field = descriptor.fields_by_name.get(name) if descriptor is not None else None
    return field is not None and field.type == field.TYPE_STRING and not field.is_repeated
