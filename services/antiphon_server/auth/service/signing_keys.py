"""The keys that access tokens are signed with, and their rotation."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from antiphon_server.auth.model import DAY, SECOND, Request, Rotation, StoredSigningKey
from antiphon_server.auth.model.requests import Repeated, answer_to
from antiphon_server.auth.model.security_events import SecurityEvent, SigningKeysRotated
from antiphon_server.auth.ports import Clock, ServerSecret, SigningKeyStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError, Reason

PURPOSE = "signing keys"
LEAD = 2 * SECOND
MARGIN = 30
MOST_KEYS = 64
LOOK_EVERY_S = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair in use; ``private`` is None where this server can't open it.

    Tokens signed with it are refused from ``retire_time`` on.
    """

    kid: str
    public: Ed25519PublicKey
    private: Ed25519PrivateKey | None = field(repr=False)
    create_time: int
    retire_time: int | None = None

    @property
    def x(self) -> str:
        """The public key as a JSON web key has it (RFC 8037)."""
        return base64url.encoded(self.public.public_bytes_raw())


class SealedByAnother(Exception):
    """The stored signing keys were sealed with another secret than this installation's."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How long a key signs, in days, and whether other processes use the same keys.

    Among several, a new key is known to all for ``LEAD`` before it signs.
    """

    days: int = 30
    shared: bool = False


class SigningKeys:
    """The valid signing keys: the one that signs, and those whose tokens are still alive.

    ``longest_life`` is the longest lifetime of a token in seconds. A retired key verifies tokens
    for that long.
    """

    def __init__(
        self,
        store: SigningKeyStore,
        secret: ServerSecret,
        security_events: Recorder,
        clock: Clock,
        longest_life: int,
        settings: KeySettings | None = None,
    ) -> None:
        self._store = store
        self._secret = secret
        self._security_events = security_events
        self._now = micros(clock)
        self._life = longest_life * SECOND
        self._settings = settings or KeySettings()
        self._lead = LEAD if self._settings.shared else 0
        self._keys: dict[str, SigningKey] = {}
        self._listeners: list[Callable[[], None]] = []
        self._reading = asyncio.Lock()
        self._look: asyncio.Task[None] | None = None
        self._next_look = 0.0

    async def load(self) -> None:
        """Read the keys, and create one if none can sign.

        Raises SealedByAnother if the expected keys cannot be opened although the secret is not
        new, or other servers use them: with a wrong secret everybody would be signed out.
        """
        await self.reload()
        if any(key.private and key.retire_time is None for key in self._keys.values()):
            return
        replaceable = self._secret.is_new and not self._settings.shared
        if any(key.retire_time is None for key in self._keys.values()) and not replaceable:
            raise SealedByAnother("the stored keys were sealed with another secret")
        await self.rotate()

    async def reload(self) -> None:
        """Read what other processes have created and withdrawn."""
        async with self._reading:  # what was read later is newer
            before = {key.kid for key in self.valid()}
            stored = await self._store.list_valid(self._now())
            self._keys = {key.kid: self._read(key) for key in stored}
        if before - set(self._keys):
            for listener in self._listeners:
                listener()

    async def learn(self) -> None:
        """Look up a key that another process may have created.

        The store is asked at most once a second, however many tokens name unknown keys.
        """
        if not self._settings.shared:
            return
        if self._look is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            self._look = asyncio.create_task(self.reload(), name="auth-keys-look")
            self._look.add_done_callback(self._looked)
        if self._look is not None:
            await asyncio.wait([self._look])

    async def rotate(self, *, compromised: bool = False, request: Request | None = None) -> str:
        """Create a key, sign with it from now on, and return its id.

        Tokens of older keys stay valid until they expire; if the keys are ``compromised``, their
        tokens are refused from now on. Repeating the ``request`` creates no further key. Raises
        DomainError OVERLOADED if keys are rotated too often, and REQUEST_ID_REUSED.
        """
        if not compromised and len(self.valid()) >= MOST_KEYS:
            raise DomainError(Reason.OVERLOADED, resource="signing keys", retry_after=60.0)
        now, fresh = self._now(), self._fresh()
        when = now if compromised else self._last_day(now)
        answer, kid = answer_to(request, fresh.kid.encode()), fresh.kid
        try:
            with self._security_events.recording(_events) as records:
                await self._store.rotate(fresh, when, now, records, answer=answer)
        except Repeated as again:
            kid = again.response.decode()
        await self.reload()
        return kid

    async def rotate_if_due(self) -> str | None:
        """Rotate if the signing key is old enough, once for all processes.

        Returns the new key's id if this process created it.
        """
        now = self._now()
        since = now - self._settings.days * DAY
        if max((key.create_time for key in self._keys.values()), default=0) > since:
            return None
        fresh = self._fresh()
        with self._security_events.recording(_events) as records:
            rotated = await self._store.rotate(fresh, self._last_day(now), now, records, since)
        await self.reload()
        return fresh.kid if rotated else None

    def _last_day(self, now: int) -> int:
        """When tokens of a key that is replaced now are over.

        A process that learns of it late goes on signing with it for a while.
        """
        return now + self._life + MARGIN * self._lead

    async def settled(self) -> None:
        """Return when the newest key is the one that signs."""
        await asyncio.sleep(self._lead / SECOND)

    def on_withdrawn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a key stops being valid."""
        self._listeners.append(listener)

    def signer(self) -> tuple[str, Ed25519PrivateKey]:
        """The id and the private part of the signing key."""
        now, chosen = self._now(), None
        for key in self._keys.values():  # the oldest first
            known_to_all = key.create_time + self._lead <= now
            outlives = key.retire_time is None or key.retire_time >= now + self._life
            if key.private is not None and outlives and (chosen is None or known_to_all):
                chosen = key.kid, key.private
        if chosen is None:
            raise RuntimeError("signing keys are used before they were loaded")
        return chosen

    def verification_key(self, kid: object) -> Ed25519PublicKey | None:
        """The public key with that id, while its tokens are accepted."""
        key = self._keys.get(kid) if isinstance(kid, str) else None
        return key.public if key and self._valid(key) else None

    def valid(self) -> list[SigningKey]:
        """The keys whose tokens are accepted now."""
        return [key for key in self._keys.values() if self._valid(key)]

    def _valid(self, key: SigningKey) -> bool:
        return key.retire_time is None or key.retire_time > self._now()

    def _fresh(self) -> StoredSigningKey:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        sealed = self._secret.seal(private.private_bytes_raw(), PURPOSE)
        return StoredSigningKey(thumbprint(public), public, sealed, self._now())

    def _looked(self, look: "asyncio.Task[None]") -> None:
        self._look = None
        if not look.cancelled() and look.exception() is not None:
            log.warning("signing keys could not be looked for: %s", look.exception())

    def _read(self, key: StoredSigningKey) -> SigningKey:
        known = self._keys.get(key.kid) or self._opened(key)
        return replace(known, retire_time=key.retire_time)

    def _opened(self, key: StoredSigningKey) -> SigningKey:
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        raw = self._secret.open(key.sealed_private_key, PURPOSE)
        private = Ed25519PrivateKey.from_private_bytes(raw) if raw else None
        if private is not None and private.public_key() != public:
            private = None  # a private part that was copied from another key's row
        return SigningKey(key.kid, public, private, key.create_time, key.retire_time)


def _events(rotation: Rotation) -> list[SecurityEvent]:
    fresh, x = rotation.fresh, base64url.encoded(rotation.fresh.public_key)
    return [SecurityEvent(SigningKeysRotated(fresh.kid, rotation.retired, x))]


def thumbprint(public: bytes) -> str:
    """A key's id: the hash of its JSON web key (RFC 7638)."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url.encoded(public)}"}}'
    return base64url.encoded(hashlib.sha256(canonical.encode()).digest())
