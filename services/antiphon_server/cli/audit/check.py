"""Verifying an exported file, without a server."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon.auth.v1.audit_service_pb2 import ExportedSecurityEvent
from antiphon_server.auth.model.audit import AuditFault, Found
from antiphon_server.auth.model.chain import Head
from antiphon_server.auth.service.audit_heads import read_head
from antiphon_server.auth.service.audit_trail import public_key
from antiphon_server.auth.service.hash_chain import ChainCheck, chained
from antiphon_server.cli.audit.file import lines, readable
from antiphon_server.cli.console import CommandError

SENTENCES = {
    AuditFault.CHANGED: "the event was changed: its hash is not that of what it says",
    AuditFault.MISSING: "events are missing before this one, or were moved",
    AuditFault.UNCHAINED: "the event does not follow from the one before it",
    AuditFault.CUT_OFF: "events are missing before this head",
    AuditFault.OTHER_HISTORY: "the head is of another history than the events before it",
    AuditFault.SIGNATURE_INVALID: "no known key has signed this head",
    AuditFault.FORGED: "the event was not written by the server",
}
UNREADABLE = "the line is neither an event nor a head"
NO_HEAD = "there is no head behind the last event: whether more followed can't be told"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out: the line that is wrong and how, if any; how many events are proved.

    ``signature`` is the last head's, ``own_keys`` says that only keys were used that the file
    brought itself.
    """

    line: int
    problem: str
    verified: int
    signature: str
    own_keys: bool


def keys_in(path: Path) -> dict[str, Ed25519PublicKey]:
    """The public keys of a JSON web key set, as GetJwks answers. Raises CommandError."""
    try:
        return _keys(json.loads(path.read_bytes())["keys"])
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path} is no JSON web key set") from None


def check(path: Path, trusted: dict[str, Ed25519PublicKey] | None) -> Checked:
    """Read the file and compute the chain; with ``trusted`` no other key counts."""
    file, count = FileCheck(trusted), 0
    for line, found in lines(path):
        if problem := file.problem_of(found):
            return file.came_out(line, problem)
        count = line
    return file.came_out(0, "") if file.headed else file.came_out(count + 1, NO_HEAD)


class FileCheck:
    """Follows a file, line by line, with ``trusted`` keys or those of the file itself."""

    def __init__(self, trusted: dict[str, Ed25519PublicKey] | None) -> None:
        self.headed = False
        self._trusted = trusted
        self._chain = ChainCheck()
        self._signature = ""

    def problem_of(self, found: Any) -> str:
        """What is wrong with the next line; "" if nothing is."""
        try:
            self.headed = "head" in found
            return self._head_problem(found) if self.headed else self._event_problem(found)
        except (TypeError, KeyError, ValueError, DecodeError):
            return UNREADABLE

    @property
    def head(self) -> Head:
        """The last event that is proved."""
        return self._chain.head

    def follow(self, event: ExportedSecurityEvent) -> Found | None:
        """Go on by an event that is not in the file yet; what is wrong with it, if anything."""
        sequence = SecurityEvent.FromString(event.body).sequence
        return self._chain.follow(sequence, event.previous_hash, event.body, event.hash)

    def came_out(self, line: int, problem: str) -> Checked:
        """The outcome."""
        verified, own_keys = self._chain.head.sequence, self._trusted is None
        return Checked(line, problem, verified, self._signature, own_keys)

    def _event_problem(self, found: dict[str, Any]) -> str:
        body = base64.b64decode(found["body"], validate=True)
        previous, hashed = bytes.fromhex(found["previous_hash"]), bytes.fromhex(found["hash"])
        if chained(previous, body) != hashed or found["event"] != readable(body):
            return SENTENCES[AuditFault.CHANGED]
        sequence = SecurityEvent.FromString(body).sequence
        fault = self._chain.follow(sequence, previous, body, hashed)
        return SENTENCES[fault.fault] if fault else ""

    def _head_problem(self, found: dict[str, Any]) -> str:
        said, keys = found["head"], self._trusted
        head = read_head(said["signature"], _keys(found["keys"]) if keys is None else keys)
        if head is None:
            return SENTENCES[AuditFault.SIGNATURE_INVALID]
        if head.sequence > self._chain.head.sequence:
            return SENTENCES[AuditFault.CUT_OFF]
        if head != self._chain.head:
            return SENTENCES[AuditFault.OTHER_HISTORY]
        if (said["sequence"], said["hash"]) != (head.sequence, head.hash.hex()):
            return SENTENCES[AuditFault.CHANGED]
        self._signature = said["signature"]
        return ""


def _keys(keys: list[dict[str, str]]) -> dict[str, Ed25519PublicKey]:
    found = {key["kid"]: public_key(key["kid"], key["x"]) for key in keys}
    return {kid: key for kid, key in found.items() if key is not None}
