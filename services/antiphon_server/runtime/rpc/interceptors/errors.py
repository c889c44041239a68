"""The only place where exceptions become statuses."""

import asyncio
import logging
from typing import Any, NoReturn

import grpc

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import DETAILS_KEY, status_of
from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor
from antiphon_server.runtime.telemetry.current_rpc import HEADER, current_request_id
from antiphon_server.runtime.telemetry.logs import CLIENT_HAS_GONE

CODES = {code.value[0]: code for code in grpc.StatusCode}
_MADE_ONCE = frozenset({Reason.FILTER_UNAVAILABLE})
"""Retried at once, what is down would be asked the same again, for its whole timeout."""
_NO_RETRY = (("grpc-retry-pushback-ms", "-1"), ("x-envoy-ratelimited", "true"))
"""What a client's retry policy heeds (gRFC A6), and Envoy's, which reads no other word for it."""
log = logging.getLogger(__name__)


class ErrorInterceptor(MethodInterceptor):
    """Turns an exception of a handler into the gRPC status of its RPC.

    A DomainError becomes the status of its reason. Any other exception is a defect: it is logged
    once with its traceback, and the client receives INTERNAL with the request id only.
    """

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        async def call(request: Any, context: Context) -> Any:
            try:
                return await inner(request, context)
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except DomainError as error:
                await refuse(context, error)
            except Exception as error:
                if context.cancelled():
                    raise
                request_id = current_request_id()
                if _nobody_listens(error):
                    log.debug("%s: the client has gone (%s)", method.name, request_id)
                    raise asyncio.CancelledError from error
                level = logging.DEBUG if _of_transport(error) else logging.ERROR
                log.log(level, "%s failed (%s)", method.name, request_id, exc_info=error)
                await refuse(context, DomainError(Reason.INTERNAL, request_id=request_id))

        return call


def _of_transport(error: Exception) -> bool:
    return isinstance(error, grpc.aio.InternalError)


def _nobody_listens(error: Exception) -> bool:
    """A write to a client that has gone failed; a status can't be sent after that, either."""
    return _of_transport(error) and str(error).startswith(CLIENT_HAS_GONE)


async def refuse(context: Context, error: DomainError) -> NoReturn:
    """End the RPC with the error's status. Raises AbortError; CancelledError if nobody listens."""
    status = status_of(error)
    trailing: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.SerializeToString())]
    if request_id := current_request_id():
        trailing.append((HEADER, request_id))
    if error.reason in _MADE_ONCE:
        trailing.extend(_NO_RETRY)
    try:
        await context.abort(CODES[status.code], status.message, tuple(trailing))
    except grpc.aio.InternalError as failed:
        if not _nobody_listens(failed):
            raise
        # gRPC will only say so after this; it would log it as an error of ours.
        raise asyncio.CancelledError from failed
