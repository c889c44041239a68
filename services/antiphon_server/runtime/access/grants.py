"""Grants: access tokens of one attempt of one turn, for the worker that has it.

One is no token of a session: nobody signs in for it, it opens what the contract says that it does
(``Access.grant``) of its own conversation and workspace alone, and it ends with its turn, of which
every call asks.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Protocol

import msgspec

from antiphon_server.runtime.access.principal import Grant, Principal, SessionId, UserId
from antiphon_server.runtime.access.server_secret import ServerSecret
from antiphon_server.runtime.errors import DomainError, Reason

PREFIX = "agr_"
"""What a grant begins with, and no other token."""
LONGEST = 8 * 1024
"""Characters of a token, as of other access tokens, which hold as many keys."""
PURPOSE = "grants of turns"
_VERSION = 1


class _Payload(msgspec.Struct, frozen=True, array_like=True):
    """What a token says. A newer server may append fields, which this one does not read."""

    version: int
    expires_at: float
    turn_id: str
    conversation_id: str
    workspace_id: str
    attempt: int
    user_id: str
    api_keys: tuple[str, ...]


_DECODER = msgspec.json.Decoder(_Payload)


class RunningTurns(Protocol):
    """Knows which turns run."""

    async def runs(self, grant: Grant, *, or_later: bool = False) -> bool:
        """Whether that attempt of the turn goes on, or a later one where that will do.

        Raises DomainError if that can't be known.
        """
        ...


class GrantTokens:
    """Makes and reads them, under a key of the ``secret`` that all of an installation share."""

    def __init__(self, secret: ServerSecret) -> None:
        self._key = secret.derive(PURPOSE)

    def issue(self, grant: Grant, user_id: str, api_keys: Sequence[str], until: float) -> str:
        """The token of an attempt, in the name of its turn's user and keys; Unix seconds."""
        where = (grant.turn_id, grant.conversation_id, grant.workspace_id, grant.attempt)
        payload = _Payload(_VERSION, until, *where, user_id, tuple(api_keys))
        said = _text(msgspec.json.encode(payload))
        return f"{PREFIX}{said}.{self._mac(said)}"

    def read(self, token: str) -> Principal:
        """Who holds it, though it may have expired and its turn have ended.

        Raises DomainError TOKEN_INVALID for what was not issued here.
        """
        said, _, mac = token.removeprefix(PREFIX).partition(".")
        # The text is compared, not what it stands for: so each token has one spelling.
        well_formed = len(token) <= LONGEST and token.isascii() and token.startswith(PREFIX)
        if not well_formed or not hmac.compare_digest(mac, self._mac(said)):
            raise DomainError(Reason.TOKEN_INVALID)
        try:
            return _principal(
                _DECODER.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
            )
        except (msgspec.DecodeError, binascii.Error) as error:  # of a newer server
            raise DomainError(Reason.TOKEN_INVALID) from error

    def _mac(self, said: str) -> str:
        return _text(hmac.digest(self._key, said.encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _principal(payload: _Payload) -> Principal:
    if payload.version != _VERSION:
        raise DomainError(Reason.TOKEN_INVALID)
    return Principal(
        "grant",
        UserId(payload.user_id),
        SessionId(""),
        expires_at=payload.expires_at,
        api_keys=payload.api_keys,
        grant=Grant(
            payload.turn_id, payload.conversation_id, payload.workspace_id, payload.attempt
        ),
    )
