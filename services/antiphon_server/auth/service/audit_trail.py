"""The trail of security events, as those who may see it read it."""

import asyncio
import hmac
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from antiphon_server.auth.model.audit import AuditFault, Found, SignedHead, Verdict
from antiphon_server.auth.model.chain import ALL, Head, Seal, SealedEvent, Selection
from antiphon_server.auth.model.security_events import (
    SecurityEvent,
    SecurityEventsExported,
    SigningKeysRotated,
)
from antiphon_server.auth.ports.security_events import SecurityEvents, SecurityEventStore
from antiphon_server.auth.service.audit_heads import AuditHeads, key_id_of, read_head
from antiphon_server.auth.service.hash_chain import ChainCheck, chained
from antiphon_server.auth.service.signing_keys import SigningKey, SigningKeys, thumbprint
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import invalid

PAGE = 200

Faithful = Callable[[SealedEvent], bool]
"""Whether what an event is found by is what it says."""
PublicKey = Callable[[SealedEvent], tuple[str, str]]
"""The key that a SigningKeysRotated brought: its id and its public part."""


class AuditTrail:
    """Lists, exports and verifies what was recorded; ``rotations`` are those of keys."""

    def __init__(
        self,
        store: SecurityEventStore,
        events: SecurityEvents,
        heads: AuditHeads,
        keys: SigningKeys,
        seal: Seal,
        faithful: Faithful,
        rotations: Selection,
        public_key: PublicKey,
    ) -> None:
        self._store = store
        self._events = events
        self._heads = heads
        self._keys = keys
        self._seal = seal
        self._faithful = faithful
        self._rotations = rotations
        self._public_key = public_key

    async def newest(
        self, caller: Principal, which: Selection, before: int | None, limit: int
    ) -> Sequence[SealedEvent]:
        """A page of events that the caller may see, the newest first."""
        visible = visible_to(caller, which)
        return await self._store.before(before, visible, limit) if visible else []

    async def head(self) -> SignedHead:
        """Where the trail ends now."""
        return self._heads.sign(await self._store.head())

    async def export(self, after: int) -> tuple[Head, AsyncGenerator[Sequence[SealedEvent], None]]:
        """Every event behind ``after``, up to the head that is returned.

        The export is an event itself, behind that head, and committed first. Raises DomainError
        INVALID_ARGUMENT for a place beyond the newest event.
        """
        head = await self._store.head()
        if after > head.sequence:
            raise invalid("after_sequence", "is beyond the newest event")
        await self._events.record(SecurityEvent(SecurityEventsExported(after + 1, head.sequence)))
        return head, self._pages(after, head.sequence)

    def sign(self, head: Head) -> SignedHead:
        """A head of this trail, signed now."""
        return self._heads.sign(head)

    async def _pages(self, after: int, last: int) -> AsyncGenerator[Sequence[SealedEvent], None]:
        while after < last:
            page = await self._store.after(after, ALL, min(PAGE, last - after))
            if not page:
                return
            after = page[-1].sequence
            yield page

    async def verify(self, signature: str) -> Verdict:
        """Read everything anew and compute the chain; it must go through a kept head, if given."""
        kept = read_head(signature, await self._known_keys(signature)) if signature else None
        if signature and kept is None:
            return Verdict(Found(AuditFault.SIGNATURE_INVALID, 0), 0, await self._store.head())
        check = ChainCheck(kept=kept)
        found = None
        while not found and (page := await self._store.after(check.head.sequence, ALL, PAGE)):
            found = await asyncio.to_thread(self._first_fault, check, page)
        found = found or check.end()
        return Verdict(found, check.head.sequence, await self._store.head())

    def _first_fault(self, check: ChainCheck, page: Sequence[SealedEvent]) -> Found | None:
        for event in page:
            before = check.head
            found = check.follow(event.sequence, event.previous_hash, event.body, event.hash)
            if found is None and not self._faithful(event):
                found = Found(AuditFault.CHANGED, event.sequence)
            if found is None and not self._is_own(event):
                found = Found(AuditFault.FORGED, event.sequence)
            if found is not None:
                check.head = before
                return found
        return None

    def _is_own(self, event: SealedEvent) -> bool:
        """Whether this installation wrote it."""
        genuine = hmac.compare_digest(self._seal(event.hash), event.seal)
        return genuine and chained(event.previous_hash, event.body) == event.hash

    async def record_keys(self) -> None:
        """Record the keys in use that the trail does not tell of, so that it will for ever.

        Those that an older version made are not in it. Of several processes that begin at once
        each may record them.
        """
        own = self._own_keys()
        told = await self._told_keys({key.kid for key in own})
        missing = (SigningKeysRotated(key.kid, (), key.x) for key in own if key.kid not in told)
        await self._events.record(*map(SecurityEvent, missing))

    async def _known_keys(self, signature: str) -> dict[str, Ed25519PublicKey]:
        """Its own keys in use, and the one that the head names if the trail tells of it."""
        keys = {key.kid: key.public for key in self._own_keys()}
        kid = key_id_of(signature)
        return keys | await self._told_keys({kid} - set(keys)) if kid else keys

    def _own_keys(self) -> list[SigningKey]:
        """The keys in use that the installation's secret opens: nobody has slipped them in."""
        return [key for key in self._keys.valid() if key.private is not None]

    async def _told_keys(self, wanted: set[str]) -> dict[str, Ed25519PublicKey]:
        """The keys that the trail tells of, from the newest back to the last one wanted."""
        keys: dict[str, Ed25519PublicKey] = {}
        before: int | None = None
        while not wanted <= set(keys):
            page = await self._store.before(before, self._rotations, PAGE)
            if not page:
                break
            before = page[-1].sequence
            keys |= self._brought(page)
        return keys

    def _brought(self, page: Sequence[SealedEvent]) -> dict[str, Ed25519PublicKey]:
        """The keys of these rotations. A kid is its key's thumbprint, so none can be slipped in."""
        own = (event for event in page if self._is_own(event))
        brought = (self._public_key(event) for event in own)
        return {kid: key for kid, x in brought if (key := public_key(kid, x)) is not None}


def public_key(kid: str, x: str) -> Ed25519PublicKey | None:
    """The public key of that id; None if it is not the one that the id stands for."""
    try:
        raw = base64url.decoded(x)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None
    return key if thumbprint(raw) == kid else None


def sees_all(caller: Principal) -> bool:
    """Whether the trail is open to the caller, and not only what concerns them."""
    return caller.operates or caller.kind == "service"


def visible_to(caller: Principal, which: Selection) -> Selection | None:
    """The part of a selection that the caller may see; None for nothing."""
    if sees_all(caller):
        return which
    if which.user_id not in ("", caller.user_id) or not caller.user_id:
        return None
    return replace(which, user_id=caller.user_id)
