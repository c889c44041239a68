"""Runs calls as a part of this installation."""

from typing import Any

from antiphon_server.runtime.access.principal import Principal, current_principal, set_principal
from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor


class CallerInterceptor(MethodInterceptor):
    """Sets one principal for the time of every call.

    For the calls of one service of a process to another: who calls is known by the
    channel, and the guards stood at the edge. Across processes a token says it instead.
    """

    def __init__(self, principal: Principal) -> None:
        super().__init__()
        self._principal = principal

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        principal = self._principal

        async def call(request: Any, context: Context) -> Any:
            before = current_principal()
            set_principal(principal)
            try:
                return await inner(request, context)
            finally:  # a local call runs in its caller's task
                set_principal(before)

        return call
