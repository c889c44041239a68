"""The methods of the registered services, each wrapped once by the interceptors.

A method's handler, in whichever of grpc.aio's styles it is written, becomes one
coroutine function: ``behaviour(request or iterator, context)``, which returns
the response of a unary answer and writes a streamed one to the context.
"""

import abc
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

import grpc

from antiphon_server.runtime.errors import DomainError, Reason

HEALTH = "/grpc.health.v1.Health/"
"""What names of the health's methods begin with: whoever looks after the server calls them."""

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler  # not generic at run time


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC: its full name ``/package.Service/Method``, and which sides stream."""

    name: str
    request_streaming: bool = False
    response_streaming: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A method, its behaviour with all interceptors around it, and its codecs."""

    method: Method
    behaviour: Behaviour
    deserialize: Callable[[bytes], Any] | None
    serialize: Callable[[Any], bytes] | None


UNKNOWN = Method("unknown", True, True)
"""Stands for every method that nobody registered, so that names can't pile up."""


class MethodInterceptor(grpc.aio.ServerInterceptor):
    """A server interceptor that wraps each method once and keeps the result.

    That costs one lookup per call on a real server, and none on a local channel.
    """

    def __init__(self) -> None:
        self._wrapped: dict[str, Handler] = {}

    @abc.abstractmethod
    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """Return a coroutine function that runs ``inner`` with this interceptor around it."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the handler, for a server that was built without a :class:`MethodTable`."""
        name = handler_call_details.method
        handler = self._wrapped.get(name) or await continuation(handler_call_details)
        if handler is None or name in self._wrapped:
            return handler
        method = Method(name, handler.request_streaming, handler.response_streaming)
        wrapped = self.wrap(method, behaviour_of(handler))
        self._wrapped[name] = handler_of(
            method, wrapped, handler.request_deserializer, handler.response_serializer
        )
        return self._wrapped[name]


class MethodTable(grpc.aio.Server):
    """What ``add_XServicer_to_server`` registers, found by a method's full name."""

    def __init__(self, interceptors: Sequence[MethodInterceptor] = ()) -> None:
        self._interceptors = tuple(interceptors)
        self._handlers: dict[str, Handler] = {}
        self._resolved: dict[str, Resolved] = {}
        self._unknown = Resolved(UNKNOWN, self._wrap(UNKNOWN, _no_such_method), None, None)
        self.services: list[str] = []

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        """Accepted and ignored: generated code registers the same methods by name too."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Take over the methods of a service."""
        self.services.append(service_name)
        for name, handler in method_handlers.items():
            self._handlers[f"/{service_name}/{name}"] = handler

    def names(self) -> Iterable[str]:
        """The full names of all registered methods."""
        return self._handlers.keys()

    def prepare(self) -> None:
        """Wrap every method now, so that what an interceptor refuses shows at start."""
        for name in self._handlers:
            self.resolve(name)

    def resolve(self, name: str) -> Resolved:
        """The method of that full name; one that raises UNIMPLEMENTED if there is none."""
        resolved = self._resolved.get(name)
        if resolved is None:
            handler = self._handlers.get(name)
            if handler is None:
                return self._unknown
            resolved = self._resolved[name] = self._resolve(name, handler)
        return resolved

    def _resolve(self, name: str, handler: Handler) -> Resolved:
        method = Method(name, handler.request_streaming, handler.response_streaming)
        return Resolved(
            method,
            self._wrap(method, behaviour_of(handler)),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _wrap(self, method: Method, behaviour: Behaviour) -> Behaviour:
        for interceptor in reversed(self._interceptors):
            behaviour = interceptor.wrap(method, behaviour)
        return behaviour

    def add_insecure_port(self, address: str) -> int:
        """Raise UsageError: the table listens nowhere."""
        raise grpc.aio.UsageError("a table of methods has no ports")

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """Raise UsageError: the table listens nowhere."""
        raise grpc.aio.UsageError("a table of methods has no ports")

    async def start(self) -> None:
        """Do nothing: calls may be made at once."""

    async def stop(self, grace: float | None) -> None:
        """Do nothing: there is nothing to close."""

    async def wait_for_termination(self, timeout: float | None = None) -> bool:
        """Return at once: nothing runs here."""
        return False


async def _no_such_method(_request: Any, _context: Context) -> NoReturn:
    raise DomainError(Reason.UNIMPLEMENTED)


def behaviour_of(handler: Handler) -> Behaviour:
    """One coroutine function for a handler of any kind and style."""
    function: Any = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
    if inspect.iscoroutinefunction(function):
        return cast(Behaviour, function)
    if inspect.isasyncgenfunction(function):

        async def write_all(request: Any, context: Context) -> None:
            async with aclosing(function(request, context)) as responses:
                async for response in responses:
                    await context.write(response)

        return write_all

    async def unwritten(request: Any, context: Context) -> Any:
        try:
            return await function(request, context)
        except NotImplementedError as error:  # the generated base class's methods
            raise DomainError(Reason.UNIMPLEMENTED) from error

    return unwritten


def handler_of(
    method: Method,
    behaviour: Behaviour,
    deserialize: Callable[[bytes], Any] | None,
    serialize: Callable[[Any], bytes] | None,
) -> Handler:
    """A handler of the method's kind, for grpc.aio."""
    make: Any = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.request_streaming, method.response_streaming]
    handler: Handler = make(behaviour, deserialize, serialize)
    return handler
