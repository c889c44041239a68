"""What is sent for a call: no argument leads to another place than its operation's."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from antiphon_server.integration.connections.rest.bodies import is_json
from antiphon_server.integration.connections.rest.model import (
    FORM,
    MULTIPART,
    Api,
    Operation,
    Parameter,
)
from antiphon_server.integration.connections.rest.parameters import PLACEHOLDER
from antiphon_server.integration.connections.rest.ways import leads_away
from antiphon_server.integration.tools.model import Call, Json
from antiphon_server.runtime.errors import DomainError, Reason

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LITERAL = "/:@!$&'()*+,;=-._~%"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as it goes out but for what signs it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


def request(api: Api, operation: Operation, call: Call) -> Request:
    """The request of a call. Raises DomainError TOOL_ARGUMENTS_INVALID."""
    sent = [
        (it, call.arguments[it.argument])
        for it in operation.parameters
        if call.arguments.get(it.argument) is not None
    ]
    path = _path(
        operation, {it.name: (it, value) for it, value in sent if it.where == "path"}, call
    )
    query = [pair for it, value in sent if it.where == "query" for pair in _pairs(it, value)]
    url = api.base_url + path + (f"?{urlencode(query)}" if query else "")
    headers = {"Accept": operation.accept}
    for it, value in sent:
        if it.where == "header":
            headers[it.name] = _header(it, value, call)
    if operation.keyed:
        headers["Idempotency-Key"] = call.call_id
    body = None
    if operation.body is not None and operation.body.argument in call.arguments:
        kind, body = _body(operation.body.media_type, call.arguments[operation.body.argument])
        headers["Content-Type"] = kind
    return Request(operation.method, url, headers, body)


def _path(operation: Operation, values: Mapping[str, tuple[Parameter, Json]], call: Call) -> str:
    """The path, in which each value stays within its part of it."""

    def filled(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise _refused(call, found[1], "it is missing")
        parameter, value = values[found[1]]
        text = _joined(parameter, value)
        if not text or _CONTROL.search(text) or leads_away(text):
            raise _refused(call, parameter.argument, "it can't be a part of a path")
        return f"\0{quote(text, safe='')}\0"

    parts = PLACEHOLDER.sub(filled, operation.path).split("\0")
    path = "".join(it if at % 2 else quote(it, safe=_LITERAL) for at, it in enumerate(parts))
    if leads_away(path) and not leads_away(operation.path):
        raise _refused(call, next(iter(values)), "it can't be a part of a path")
    return path


def _header(parameter: Parameter, value: Json, call: Call) -> str:
    text = _joined(parameter, value)
    if _CONTROL.search(text):
        raise _refused(call, parameter.argument, "it can't be a header")
    return text


def _pairs(parameter: Parameter, value: Json) -> Iterator[tuple[str, str]]:
    """A parameter of a query: one pair, or one for each of its items or members."""
    if parameter.as_json or not isinstance(value, list | dict):
        yield parameter.name, _joined(parameter, value)
    elif isinstance(value, dict) and parameter.deep:
        for name, member in value.items():
            yield f"{parameter.name}[{name}]", _text(member)
    elif isinstance(value, dict) and parameter.exploded:
        for name, member in value.items():
            yield name, _text(member)
    elif isinstance(value, list) and not parameter.separator:
        for item in value:
            yield parameter.name, _text(item)
    else:
        yield parameter.name, _joined(parameter, value)


def _joined(parameter: Parameter, value: Json) -> str:
    if parameter.as_json:
        return json.dumps(value)
    separator = parameter.separator or ","
    if isinstance(value, dict):
        between = "=" if parameter.exploded else separator
        return separator.join(f"{name}{between}{_text(it)}" for name, it in value.items())
    return separator.join(map(_text, value)) if isinstance(value, list) else _text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _body(media_type: str, value: Json) -> tuple[str, bytes]:
    """Its Content-Type, and its bytes."""
    plain = media_type.partition(";")[0].strip().lower()
    if plain == FORM:
        return plain, urlencode(list(_fields(value))).encode()
    if plain == MULTIPART:
        return _multipart(value)
    if is_json(plain) or not isinstance(value, str):
        return plain, json.dumps(value, ensure_ascii=False).encode(errors="replace")
    return f"{plain}; charset=utf-8", value.encode(errors="replace")


def _fields(value: Json) -> Iterator[tuple[str, str]]:
    for name, it in value.items() if isinstance(value, dict) else ():
        for each in it if isinstance(it, list) else (it,):
            yield name, _text(each)


def _multipart(value: Json) -> tuple[str, bytes]:
    boundary = uuid.uuid4().hex
    parts = []
    for name, text in _fields(value):
        said = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{said}"\r\n\r\n{text}\r\n'
        )
    whole = "".join((*parts, f"--{boundary}--\r\n"))
    return f"{MULTIPART}; boundary={boundary}", whole.encode(errors="replace")


def _refused(call: Call, argument: str, rule: str) -> DomainError:
    path = f"$.{argument}"
    return DomainError(Reason.TOOL_ARGUMENTS_INVALID, tool=call.tool, path=path, rule=rule)
