"""The file of an export: a line of JSON for each event, and for each head that was signed.

A line of an event has it twice: as it is stored (``body``, which the hash covers) and as
people read it (``event``). A head stands behind the last event that it covers, so a file
that was gone on with has several.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon.auth.v1.audit_service_pb2 import AuditHead, ExportedSecurityEvent
from antiphon_server.cli.audit.lines import event_json
from antiphon_server.cli.console import CommandError


def event_text(exported: ExportedSecurityEvent) -> bytes:
    """The line of an event."""
    found = {
        "event": readable(exported.body),
        "body": base64.b64encode(exported.body).decode(),
        "previous_hash": exported.previous_hash.hex(),
        "hash": exported.hash.hex(),
    }
    return _line(found)


def readable(body: bytes) -> dict[str, Any]:
    """What people read of an event."""
    return event_json(SecurityEvent.FromString(body))


def head_text(head: AuditHead) -> bytes:
    """The line of a head, with the public keys as a JSON web key set (RFC 7517)."""
    keys = [
        {"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid, "alg": key.alg}
        for key in head.keys
    ]
    found = {
        "head": {
            "sequence": head.sequence,
            "hash": head.hash.hex(),
            "create_time": head.create_time.ToJsonString(),
            "signature": head.signature,
        },
        "keys": keys,
    }
    return _line(found)


def lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Each line's number and what it holds; None for one that is no object of JSON."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield number, parsed(line)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None


def parsed(line: bytes) -> Any:
    """What a line holds; None if that is no object of JSON."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
