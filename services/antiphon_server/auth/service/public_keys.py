"""The public keys of an installation, as another process told of them."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from antiphon_server.runtime.errors import unavailable


class PublicKeys:
    """:class:`~antiphon_server.auth.service.token_reader.VerificationKeys` that are handed in.

    Every new key is handed in before it signs.
    """

    def __init__(self) -> None:
        self._keys: Mapping[str, Ed25519PublicKey] | None = None
        self._listeners: list[Callable[[], None]] = []

    def replace(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """From now on these alone are valid."""
        before, self._keys = self._keys or {}, dict(keys)
        if before.keys() - keys.keys():
            for listener in self._listeners:
                listener()

    def known(self) -> Mapping[str, Ed25519PublicKey]:
        """All of them, by their ids."""
        return self._keys or {}

    def verification_key(self, kid: object) -> Ed25519PublicKey | None:
        """See :class:`VerificationKeys`."""
        return self._keys.get(kid) if self._keys and isinstance(kid, str) else None

    async def learn(self) -> None:
        """Raise DomainError SERVICE_UNAVAILABLE while no key is known: the token may be good."""
        if self._keys is None:
            raise unavailable("auth")

    def on_withdrawn(self, listener: Callable[[], None]) -> None:
        """See :class:`VerificationKeys`."""
        self._listeners.append(listener)
