"""Finds out who is calling."""

from typing import Any

from antiphon_server.runtime.access import PUBLIC, TokenVerifier, rule_of
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.methods import (
    UNKNOWN,
    Behaviour,
    Context,
    Method,
    MethodInterceptor,
)
from antiphon_server.runtime.principal import ANONYMOUS, current_principal, set_principal

_SCHEME = "bearer "


class AuthenticationInterceptor(MethodInterceptor):
    """Sets the principal that the bearer token stands for, for the time of the call.

    Public methods run as ANONYMOUS whatever token came along. Raises
    UNAUTHENTICATED without a token, and what the verifier raises.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        super().__init__()
        self._verifier = verifier

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class. Raises UndeclaredAccess for a method without a rule."""
        public = method is UNKNOWN or rule_of(method.name) == PUBLIC
        verify = self._verifier.verify

        async def call(request: Any, context: Context) -> Any:
            principal = ANONYMOUS if public else await verify(bearer_token(context))
            before = current_principal()
            set_principal(principal)
            try:
                return await inner(request, context)
            finally:
                set_principal(before)  # a local call runs in its caller's task

        return call


def bearer_token(context: Context) -> str:
    """The token in the metadata. Raises DomainError UNAUTHENTICATED."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            if isinstance(value, str) and value[:7].lower() == _SCHEME:
                return value[7:].strip()
            break
    raise DomainError(Reason.UNAUTHENTICATED)
