"""Security events as lines of text and of JSON."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict

from antiphon.auth.v1.audit_pb2 import SecurityEvent, SecurityEventKind
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.encoding import as_dict, local_time
from antiphon_server.cli.kinds import named

_PREFIX = "SECURITY_EVENT_KIND_"
_PREFIXES = (
    "LOGIN_METHOD_",
    "SIGN_IN_FAILURE_",
    "REVOCATION_CAUSE_",
    "ALARM_KIND_",
    "ROLE_",
    "PERMISSION_",
    "ERROR_REASON_",
)


def kinds_named(names: str) -> Sequence[SecurityEventKind.ValueType]:
    """Kinds by their names, separated by commas. Raises CommandError for unknown ones."""
    return named(SecurityEventKind.items(), _PREFIX, names)


def event_json(event: SecurityEvent) -> dict[str, Any]:
    """A security event as JSON, with its kind by name and its hashes in hexadecimal."""
    shown = SecurityEvent()
    shown.CopyFrom(event)
    shown.ClearField("previous_hash")
    shown.ClearField("hash")
    found = as_dict(shown)
    found["kind"] = event.WhichOneof("detail") or ""
    if event.hash:
        found["hash"] = event.hash.hex()
    return found


def event_line(event: SecurityEvent) -> str:
    """An event as one line: place, time, what, who, from where, on whose account, and how."""
    kind = event.WhichOneof("detail") or "unknown"
    time = local_time(event.create_time, "%Y-%m-%d %H:%M:%S")
    whose = event.user_id if event.actor != f"users/{event.user_id}" else ""
    parts = (event.actor, event.address, whose, _detail(event, kind))
    line = f"#{event.sequence:<6} {time}  {kind:<24} {'  '.join(filter(None, parts))}"
    return in_a_line(line).rstrip()


def _detail(event: SecurityEvent, kind: str) -> str:
    if kind == "unknown":
        return ""
    detail = MessageToDict(getattr(event, kind), preserving_proto_field_name=True)
    return " ".join(f"{name}={_word(value)}" for name, value in detail.items())


def _word(value: object) -> str:
    """A value in few letters: enums without the prefix that the contract needs."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    text = str(value)
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            return text.removeprefix(prefix).lower()
    return text
