"""Finds out who is calling."""

from typing import Any

from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import ANONYMOUS, current_principal, set_principal
from antiphon_server.runtime.access.rules import TokenVerifier, rule_of
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.methods import (
    UNKNOWN,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)
from antiphon_server.runtime.telemetry.current_rpc import note_session

_SCHEME = "bearer "


class AuthenticationInterceptor(MethodInterceptor):
    """Sets the principal of the bearer token for the duration of the call.

    Public methods run as ANONYMOUS, even if a token was sent. Raises UNAUTHENTICATED without a
    token, and whatever the verifier raises.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        super().__init__()
        self._verifier = verifier

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class. Raises UndeclaredAccess for a method without a rule."""
        public = method is UNKNOWN or rule_of(method.name).permission is Permission.PUBLIC
        verify = self._verifier.verify

        async def call(request: Any, context: Context) -> Any:
            principal = ANONYMOUS if public else await verify(bearer_token(context))
            before = current_principal()
            set_principal(principal)
            if principal.session_id:
                note_session(principal.session_id)
            try:
                return await inner(request, context)
            finally:  # a local call runs in its caller's task
                set_principal(before)

        return call


def bearer_token(context: Context) -> str:
    """The token in the metadata. Raises DomainError UNAUTHENTICATED."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            if isinstance(value, str) and value[:7].lower() == _SCHEME:
                return value[7:].strip()
            break
    raise DomainError(Reason.UNAUTHENTICATED)
