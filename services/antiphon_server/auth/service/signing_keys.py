"""The keys that access tokens are signed with, and their rotation."""

import base64
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from antiphon_server.auth.model import SECOND, StoredSigningKey
from antiphon_server.auth.model.security_events import SecurityEvent, SigningKeysRotated
from antiphon_server.auth.ports import Clock, ServerSecret, SigningKeyStore
from antiphon_server.auth.ports.security_events import SecurityEvents

PURPOSE = "signing keys"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair in use; ``private`` is None where this server can't open it.

    Tokens signed with it are refused from ``retire_time`` on.
    """

    kid: str
    public: Ed25519PublicKey
    private: Ed25519PrivateKey | None = field(repr=False)
    retire_time: int | None = None

    @property
    def x(self) -> str:
        """The public key as a JSON web key has it (RFC 8037)."""
        return _base64url(self.public.public_bytes_raw())


class SealedByAnother(Exception):
    """The stored signing keys were sealed with another secret than this installation's."""


class SigningKeys:
    """Holds the valid keys: one that signs, and those whose tokens still live.

    ``longest_life`` is the longest life of a token in seconds: so long a retired
    key goes on verifying.
    """

    def __init__(
        self,
        store: SigningKeyStore,
        secret: ServerSecret,
        security_events: SecurityEvents,
        clock: Clock,
        longest_life: int,
    ) -> None:
        self._store = store
        self._secret = secret
        self._security_events = security_events
        self._clock = clock
        self._overlap = longest_life * SECOND
        self._keys: dict[str, SigningKey] = {}
        self._signer: tuple[str, Ed25519PrivateKey] | None = None

    async def load(self) -> None:
        """Read the keys, and make one if none can sign.

        Raises SealedByAnother if those that should can't be opened, although the secret is
        no new one: a wrong one would sign everybody out.
        """
        now = self._now()
        stored = await self._store.list_valid(now)
        self._keys = {key.kid: self._opened(key) for key in stored}
        usable = [
            (key.kid, key.private)
            for key in self._keys.values()
            if key.private is not None and key.retire_time is None
        ]
        self._signer = usable[-1] if usable else None
        if self._signer is None:
            if any(key.retire_time is None for key in stored) and not self._secret.is_new:
                raise SealedByAnother("the stored keys were sealed with another secret")
            await self.rotate()

    async def rotate(self) -> None:
        """Sign with a new key from now on; the old ones verify until their tokens are over."""
        private, now = Ed25519PrivateKey.generate(), self._now()
        public = private.public_key().public_bytes_raw()
        sealed = self._secret.seal(private.private_bytes_raw(), PURPOSE)
        fresh = StoredSigningKey(thumbprint(public), public, sealed, now)
        await self._store.add(fresh)
        retired = [key.kid for key in self._keys.values() if key.retire_time is None]
        await self._store.retire(list(self._keys), now + self._overlap, now)
        await self.load()
        rotated = SigningKeysRotated(fresh.kid, tuple(retired), _base64url(public))
        await self._security_events.record(SecurityEvent(rotated))

    def signer(self) -> tuple[str, Ed25519PrivateKey]:
        """The id and the private part of the key to sign with."""
        if self._signer is None:
            raise RuntimeError("signing keys are used before they were loaded")
        return self._signer

    def verification_key(self, kid: object) -> Ed25519PublicKey | None:
        """The public key of that id while its tokens are accepted."""
        key = self._keys.get(kid) if isinstance(kid, str) else None
        return key.public if key and self._valid(key) else None

    def valid(self) -> list[SigningKey]:
        """The keys whose tokens are accepted now."""
        return [key for key in self._keys.values() if self._valid(key)]

    def _valid(self, key: SigningKey) -> bool:
        return key.retire_time is None or key.retire_time > self._now()

    def _opened(self, key: StoredSigningKey) -> SigningKey:
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        raw = self._secret.open(key.sealed_private_key, PURPOSE)
        private = Ed25519PrivateKey.from_private_bytes(raw) if raw else None
        return SigningKey(key.kid, public, private, key.retire_time)

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def thumbprint(public: bytes) -> str:
    """A key's id: the hash of its JSON web key (RFC 7638)."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(public)}"}}'
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
