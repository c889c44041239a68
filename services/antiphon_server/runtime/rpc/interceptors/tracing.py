"""A span for every RPC that comes over the network, by OpenTelemetry's instrumentation."""

from collections.abc import Coroutine
from typing import Any

import grpc

from antiphon_server.runtime.rpc.methods import (
    Behaviour,
    Context,
    Handler,
    Method,
    MethodInterceptor,
    handler_of,
)


class TracingInterceptor(MethodInterceptor):
    """Goes outside of all others. Calls inside the process are part of their caller's span."""

    def __init__(self, tracer_provider: Any) -> None:
        from opentelemetry.instrumentation.grpc import aio_server_interceptor

        super().__init__()
        instrument: Any = aio_server_interceptor
        self._instrumentation = instrument(tracer_provider=tracer_provider)

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        traced = self._traced(method, inner)

        async def call(request: Any, context: Context) -> Any:
            if context.peer() == "local":
                return await inner(request, context)
            return await traced(request, context)

        return call

    def _traced(self, method: Method, inner: Behaviour) -> Behaviour:
        """Instrument the behaviour as if it were unary.

        That is its shape: it is awaited, and writes what it streams. For streaming
        handlers the instrumentation knows generators only.
        """
        handler = handler_of(Method(method.name), inner, None, None)

        async def continuation(_details: grpc.HandlerCallDetails) -> Handler:
            return handler

        details = _Details(method.name)
        traced: Handler = _result_of(self._instrumentation.intercept_service(continuation, details))
        behaviour: Behaviour = traced.unary_unary  # type: ignore[assignment] # sync in its stubs
        return behaviour


class _Details(grpc.HandlerCallDetails):
    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()  # the instrumentation asks the context instead


def _result_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("the instrumentation waits where it did not")
