"""What the comments of a contract say, where descriptors bring them."""

from collections.abc import Iterable
from typing import Any

from antiphon_server.integration.connections.adapters.grpc_calls.files import Descriptor

LONGEST = 1_000
# The numbers of descriptor.proto: where a path goes on, and to what.
_OF_FILE = {4: "message_type", 6: "service"}
_OF_MESSAGE = {2: "field", 3: "nested_type"}
_OF_SERVICE = {2: "method"}
Comments = dict[str, str]


def comments(files: Iterable[Descriptor]) -> Comments:
    """The comments before messages, fields, services and methods, by full name."""
    found: Comments = {}
    for file in files:
        for location in file.source_code_info.location:
            said = location.leading_comments or location.trailing_comments
            name = _named(file, location.path) if said and len(location.path) > 1 else ""
            if name:
                found[name] = " ".join(said[: 2 * LONGEST].split())[:LONGEST]
    return found


def _named(file: Descriptor, path: Any) -> str:
    """The full name of what a path leads to; empty for what is none of these."""
    at: Any = file
    kinds, names = _OF_FILE, [file.package] if file.package else []
    for number, index in zip(path[::2], path[1::2], strict=False):
        listed = getattr(at, kinds.get(number, ""), None)
        if listed is None or not 0 <= index < len(listed):
            return ""
        at = listed[index]
        names.append(at.name)
        kinds = _OF_SERVICE if kinds is _OF_FILE and number == 6 else _OF_MESSAGE
    return ".".join(names) if len(path) % 2 == 0 else ""
