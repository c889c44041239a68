"""Lets a call in when its caller's share of the server allows for it."""

from typing import Any

from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import rule_of
from antiphon_server.runtime.limits.rate_limits import Kind, kind_of
from antiphon_server.runtime.limits.share_costs import OPENING_S, READ_S, WRITE_S
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.net.addresses import LOCAL
from antiphon_server.runtime.rpc.methods import (
    UNKNOWN,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)

COSTS_S: dict[Kind, float] = {"reads": READ_S, "writes": WRITE_S, "streams": OPENING_S}


class ShareInterceptor(MethodInterceptor):
    """Stands behind authentication. What ends something (Cancel…) stands in no line.

    Raises OVERLOADED if too many of one user wait.
    """

    def __init__(self, shares: Shares) -> None:
        super().__init__()
        self._shares = shares

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class; who works for others has no share, since those pay for it."""
        if method is not UNKNOWN and rule_of(method.name).scope is Scope.WORK:
            return inner
        cost_s, admit = COSTS_S[kind_of(method)], self._shares.call
        waits = not method.name.rpartition("/")[2].startswith("Cancel")

        async def call(request: Any, context: Context) -> Any:
            if context.peer() != LOCAL:
                await admit(current_principal().counted_as, cost_s, waits=waits)
            return await inner(request, context)

        return call
