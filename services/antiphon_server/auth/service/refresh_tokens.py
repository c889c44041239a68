"""Refresh tokens: what they look like, and what a presented one means.

A token is ``antr_`` + the session's id + 32 secret bytes + 16 bytes that prove
that this server made it, so garbage is refused without asking the store. The
first secret is random, or of a device an HMAC of its code; each next one is an
HMAC of the token before. So a repeated request can be answered by the same token
with only hashes stored.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from enum import Enum, auto

from antiphon_server.auth.model import GRACE, Session
from antiphon_server.auth.ports import ServerSecret
from antiphon_server.runtime.access.principal import SessionId

_SHAPE = re.compile(r"antr_([0-9a-z]{26})_([0-9A-Za-z_-]{64})", re.ASCII)


class Meaning(Enum):
    """What a genuine refresh token meant for its session."""

    ROTATED = auto()
    """It was the newest: its successor is the newest now."""
    REPEATED = auto()
    """It was the one before, moments ago: its successor is still the newest."""
    REUSED = auto()
    """It was used up: somebody has a copy, and the session is ended."""
    ENDED = auto()
    """The session was over before."""


class RefreshTokens:
    """Makes refresh tokens and recognises them."""

    def __init__(self, secret: ServerSecret) -> None:
        self._successors = secret.derive("refresh token successors")
        self._proofs = secret.derive("refresh token proofs")

    def first(self, session_id: SessionId, code: str = "") -> str:
        """The first token of a session; the same again for a secret ``code`` of one use."""
        successor = hmac.digest(self._successors, code.encode(), "sha256")
        secret = successor if code else secrets.token_bytes(32)
        return self._token(session_id.removeprefix("sess_"), secret)

    def successor(self, token: str) -> str:
        """The one token that follows a genuine one."""
        ulid = token.split("_")[1]
        return self._token(ulid, hmac.digest(self._successors, token.encode(), "sha256"))

    def session_of(self, token: str) -> SessionId | None:
        """The session of a token that this server made; None for any other string."""
        shape = _SHAPE.fullmatch(token)
        if shape is None:
            return None
        ulid, body = shape.groups()
        secret = base64.urlsafe_b64decode(body)[:32]
        genuine = hmac.compare_digest(self._token(ulid, secret), token)
        return SessionId(f"sess_{ulid}") if genuine else None

    def _token(self, ulid: str, secret: bytes) -> str:
        proof = hmac.digest(self._proofs, ulid.encode() + secret, "sha256")[:16]
        return f"antr_{ulid}_{base64.urlsafe_b64encode(secret + proof).decode()}"


def token_hash(token: str) -> bytes:
    """What is stored of a refresh token."""
    return hashlib.sha256(token.encode()).digest()


def present(
    session: Session, presented: bytes, successor: bytes, now: int, idle: int, address: str = ""
) -> tuple[Session, Meaning]:
    """The session after a genuine token of it was presented; both tokens by their hash.

    ``idle`` is how long it lives from now on if it is not refreshed again, in microseconds;
    ``address`` is where it was presented.
    """
    if not session.live(now):
        return session, Meaning.ENDED
    if presented == session.refresh_hash:
        return _rotate(session, successor, now, idle, address), Meaning.ROTATED
    predecessor = presented == session.previous_hash and successor == session.refresh_hash
    if predecessor and abs(now - session.rotate_time) <= GRACE:
        return session, Meaning.REPEATED
    return replace(session, end_time=now, announced=False), Meaning.REUSED


def _rotate(session: Session, successor: bytes, now: int, idle: int, address: str) -> Session:
    return replace(
        session,
        last_use_time=now,
        expire_time=min(now + idle, session.final_expire_time),
        generation=session.generation + 1,
        refresh_hash=successor,
        previous_hash=session.refresh_hash,
        rotate_time=now,
        last_address=address,
    )
