"""Finds out who is calling."""

from collections.abc import Mapping
from typing import Any

from antiphon_server.runtime.access import PUBLIC, Rule, TokenVerifier
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

    def __init__(self, rules: Mapping[str, Rule], verifier: TokenVerifier) -> None:
        super().__init__()
        self._rules = rules
        self._verifier = verifier

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class. Raises LookupError for a method without a rule."""
        public = method is UNKNOWN or self._rules[method.name] == PUBLIC
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
