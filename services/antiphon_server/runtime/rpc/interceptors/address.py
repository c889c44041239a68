"""Finds out where a call comes from."""

from typing import Any

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import LOCAL, Callers, current_address, set_address
from antiphon_server.runtime.rpc.methods import (
    HEALTH,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)


class AddressInterceptor(MethodInterceptor):
    """Sets the caller's address for the time of the call.

    A call within the process comes from where its caller's own call came from. Refuses who
    connects past the named proxies as PERMISSION_DENIED, but for checks of the health.
    """

    def __init__(self, callers: Callers) -> None:
        super().__init__()
        self._callers = callers

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        if method.name.startswith(HEALTH):
            return inner
        address_of, admits = self._callers.address, self._callers.admits

        async def call(request: Any, context: Context) -> Any:
            peer = context.peer()
            if peer == LOCAL:
                return await inner(request, context)
            if not admits(peer):
                raise DomainError(Reason.PERMISSION_DENIED, permission="trusted_proxies")
            before = current_address()
            set_address(address_of(peer, context.invocation_metadata() or ()))
            try:
                return await inner(request, context)
            finally:
                set_address(before)

        return call
