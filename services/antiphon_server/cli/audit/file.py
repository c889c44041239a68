"""The file of an export: a line of JSON for each event, and for each head that was signed.

A line of an event has it twice: as it is stored (``body``, which the hash covers) and as
people read it (``event``). A head stands behind the last event that it covers, so a file
that was gone on with has several.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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
                yield number, _parsed(line)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None


def open_to_go_on(path: Path) -> tuple[BinaryIO, int]:
    """The file, at its end, and the sequence of its last event; 0 for a new one.

    What a killed export left of a line is cut off. Raises CommandError for a file that is
    something else.
    """
    try:
        file = path.open("r+b") if path.exists() else _private(path)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}") from None
    whole = last = 0
    for line in file:
        found = _parsed(line)
        if not line.endswith(b"\n"):
            break
        if found is None or not ("body" in found or "head" in found):
            file.close()
            raise CommandError(f"{path} is no export of security events")
        if "body" in found:
            last = int(found["event"]["sequence"])
        whole += len(line)
    file.truncate(whole)
    file.seek(whole)
    return file, last


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner can read."""
    path.touch(mode=0o600, exist_ok=False)
    return path.open("r+b")


def _parsed(line: bytes) -> Any:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
