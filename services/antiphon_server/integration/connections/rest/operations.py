"""Operations of a document as tools."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from antiphon_server.integration.connections.rest.bodies import WITHOUT, answers, body
from antiphon_server.integration.connections.rest.documents import (
    FIELD,
    is_swagger,
    mapping,
    operations,
    sequence,
    text_of,
)
from antiphon_server.integration.connections.rest.model import Api, Body, Operation
from antiphon_server.integration.connections.rest.naming import (
    LONGEST_ARGUMENT,
    LONGEST_TOOL,
    Names,
    derived,
)
from antiphon_server.integration.connections.rest.parameters import (
    KEY,
    LONGEST_WORDS,
    PLACEHOLDER,
    Unsupported,
    arguments,
    given,
)
from antiphon_server.integration.connections.rest.schemas import Schemas
from antiphon_server.integration.tools.model import Annotations, Definition, SourceName, ToolName
from antiphon_server.integration.tools.untrusted import MOST_TOOLS, accepted
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.net.egress.names import place_of

LONGEST_ADDRESS = 2_000
_READING = ("get", "head", "options")
_REPEATABLE = (*_READING, "put", "delete")
_PATH = re.compile(r"/[^?#\\\x00-\x20\x7f]*")
_BASE = re.compile(r"https?://[^?#\\]+")


def api(
    document: Mapping[str, Any],
    source: SourceName,
    *,
    base_url: str = "",
    address: str = "",
    signed: Collection[str] = (),
) -> Api:
    """The operations that can be called: a thousand at most, others are counted.

    They are below ``base_url``, or where the document says, which was read at ``address``.
    ``signed`` are the headers, in small letters, that no argument sets. Raises DomainError
    INVALID_ARGUMENT, EGRESS_DENIED.
    """
    reader = _Reader(document, source, frozenset(signed))
    told = accepted(reader.definitions())
    base = base_url or _joined(address, _server(document, address))
    if not _BASE.fullmatch(base):
        raise invalid(FIELD, "with the address of its service: give a base_url")
    place_of(base)
    found = {name: reader.found[name] for name in told.definitions}
    return Api(base.rstrip("/"), found, told.definitions, told.left_out + reader.left_out)


class _Reader:
    """Makes definitions of operations, and keeps how each is called."""

    def __init__(
        self, document: Mapping[str, Any], source: SourceName, signed: Collection[str]
    ) -> None:
        self._document, self._source, self._signed = document, source, signed
        self._sent = Schemas(document, sent=True)
        self._answered = Schemas(document, sent=False)
        self.found: dict[ToolName, Operation] = {}
        self.left_out = 0

    def definitions(self) -> Iterator[Definition]:
        names = Names(LONGEST_TOOL)
        for method, path, item in operations(self._document):
            told = mapping(item[method])
            plain = derived(method, path)
            name = names.new(text_of(told.get("operationId")) or plain, plain)
            if len(self.found) == MOST_TOOLS:
                self.left_out += 1
                continue
            try:
                yield self._definition(ToolName(f"{self._source}.{name}"), method, path, item)
            except Unsupported:
                self.left_out += 1

    def _definition(
        self, tool: ToolName, method: str, path: str, item: Mapping[str, Any]
    ) -> Definition:
        if not _PATH.fullmatch(path):
            raise Unsupported("its path is none")
        document, told = self._document, mapping(item[method])
        named = given(document, path, item.get("parameters"), told.get("parameters"))
        names = Names(LONGEST_ARGUMENT)
        sent = None if method in WITHOUT else body(document, told, named)
        argument = names.new("body") if sent else ""
        parameters, schemas, required = arguments(document, named, names, self._signed)
        if sent:
            schemas[argument] = sent[1]
            required += [argument] if sent[2] else []
        accept, answer = answers(document, told)
        self.found[tool] = Operation(
            method.upper(),
            path,
            parameters,
            Body(argument, sent[0]) if sent else None,
            accept or "*/*",
            method not in _REPEATABLE,
        )
        keyed = any(where == "header" and name.lower() == KEY for where, name in named)
        return Definition(
            tool,
            _description(told, method, path),
            self._sent.spelled(_object(schemas, required), '{"type": "object"}'),
            self._answered.spelled(answer) if answer else "",
            text_of(told.get("summary")),
            _annotations(method, keyed),
        )


def _object(members: Mapping[str, Any], required: Collection[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def _description(told: Mapping[str, Any], method: str, path: str) -> str:
    said = text_of(told.get("description")) or text_of(told.get("summary"))
    return f"{said[:LONGEST_WORDS].strip()}\n({method.upper()} {path})".strip()


def _annotations(method: str, keyed: bool) -> Annotations:
    """What a method promises (RFC 9110); one that says it takes a key is done once for each."""
    reads = method in _READING
    return Annotations(reads, not reads, method in _REPEATABLE or keyed)


def _server(document: Mapping[str, Any], address: str) -> str:
    """Where the document says that its service is."""
    if not is_swagger(document):
        first = mapping(next(iter(sequence(document.get("servers"))), None))
        return _filled(text_of(first.get("url")) or "/", mapping(first.get("variables")))
    host, path = text_of(document.get("host")), text_of(document.get("basePath")) or "/"
    if not host:
        return path
    schemes = sequence(document.get("schemes")) or [address.partition(":")[0]]
    scheme = "http" if "http" in schemes and "https" not in schemes else "https"
    return f"{scheme}://{host}{path}"


def _joined(address: str, server: str) -> str:
    try:
        return urljoin(address, server)
    except ValueError:  # brackets around what is no address
        return ""


def _filled(url: str, variables: Mapping[str, Any]) -> str:
    """The address, with its variables as they are by default: each once, for some name others."""

    def filled(found: re.Match[str]) -> str:
        if found[1] not in variables:
            return found[0]
        value = mapping(variables[found[1]]).get("default")
        return str(value)[:LONGEST_ADDRESS] if isinstance(value, str | int | float) else ""

    return PLACEHOLDER.sub(filled, url[:LONGEST_ADDRESS])
