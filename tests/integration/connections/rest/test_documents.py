"""Documents of all versions, odd ones and hostile ones."""

import json
import time
from typing import Any

import pytest

from antiphon_server.integration.connections.rest.documents import MAX_DOCUMENT
from antiphon_server.integration.connections.rest.model import Body
from antiphon_server.runtime.errors import DomainError, Reason
from tests.integration.connections.rest.documents import document, only, swagger, understood

PET = {
    "type": "object",
    "required": ["name", "id"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "nullable": True},
        "parent": {"$ref": "#/components/schemas/Pet"},
    },
}
PETS = document(
    {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "put": {
                "operationId": "changePet",
                "summary": "Change a pet",
                "parameters": [{"name": "dry run", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                    },
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                        }
                    }
                },
            },
        }
    },
    components={
        "schemas": {"Pet": PET},
        "parameters": {
            "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
        },
    },
)


def test_an_operation_is_a_tool() -> None:
    """Its arguments are parameters and body; a recursive schema stays one."""
    found, schema = only(PETS)
    assert (found.name, found.title) == ("it.changePet", "Change a pet")
    assert found.description == "Change a pet\n(PUT /pets/{id})"
    assert set(schema["properties"]) == {"id", "dry_run", "body"}
    assert schema["required"] == ["id", "body"]
    assert schema["properties"]["body"] == {"$ref": "#/$defs/Pet"}
    pet = schema["$defs"]["Pet"]
    assert pet["required"] == ["name"]
    assert pet["properties"]["parent"] == {"$ref": "#/$defs/Pet"}
    assert pet["properties"]["name"] == {"type": ["string", "null"]}
    answered = json.loads(found.output_schema)
    assert answered["$ref"] == "#/$defs/Pet"
    assert answered["$defs"]["Pet"]["required"] == ["name", "id"]
    assert found.annotations.idempotent
    assert not found.annotations.read_only


def test_yaml_says_the_same() -> None:
    """With its own words: `no` is a text, 200 a name."""
    text = b"""
openapi: 3.0.3
info: {title: It, version: '1'}
x-shared:
  limit: &limit
    {name: limit, in: query, schema: {type: integer, maximum: 10, exclusiveMaximum: true}}
paths:
  /a:
    get:
      operationId: no
      parameters: [*limit]
      responses: {200: {description: fine}}
"""
    found, schema = only(text)
    assert found.name == "it.no"
    assert schema["properties"] == {"limit": {"type": "integer", "exclusiveMaximum": 10}}


def test_swagger() -> None:
    """Bodies and forms are parameters there, types odd, and the service somewhere."""
    given = swagger(
        {
            "/a/{x}": {
                "post": {
                    "parameters": [
                        {
                            "in": "body",
                            "name": "what",
                            "required": True,
                            "schema": {"type": "object"},
                        },
                        {"in": "query", "name": "n", "type": "int"},
                    ]
                }
            },
            "/b": {
                "post": {
                    "consumes": ["application/x-www-form-urlencoded"],
                    "parameters": [
                        {"in": "formData", "name": "f", "required": True, "type": "string"}
                    ],
                }
            },
        },
        host="other.example",
        basePath="/v2",
        schemes=["http", "https"],
    )
    found = understood(given)
    assert found.base_url == "https://other.example/v2"
    schema = json.loads(found.definitions["it.post_a_x"].input_schema)  # type: ignore[index]
    assert schema["properties"]["n"] == {"type": "integer"}
    assert schema["required"] == ["x", "body"]
    form = found.operations["it.post_b"].body  # type: ignore[index]
    assert form == Body("body", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("servers", "base"),
    [
        ([], "https://api.example"),
        ([{"url": "/v3"}], "https://api.example/v3"),
        ([{"url": "."}], "https://api.example/v1"),
        (
            [{"url": "http://{h}.example/", "variables": {"h": {"default": "a"}}}],
            "http://a.example",
        ),
        (
            [{"url": "/{a}", "variables": {"a": {"default": "{b}{b}"}, "b": {"default": "x"}}}],
            "https://api.example/{b}{b}",
        ),
    ],
)
def test_where_the_service_is(servers: list[Any], base: str) -> None:
    """Beside the document, or where that says; what the connection says counts most."""
    assert understood(document({}, servers=servers)).base_url == base
    told = understood(document({}, servers=servers), base_url="https://b.example/x")
    assert told.base_url == "https://b.example/x"


def test_names() -> None:
    """What can't be a name, is another's, or looks like it becomes one, in their order."""
    paths = {
        "/a": {"get": {"operationId": "list all"}, "post": {"operationId": "list all"}},
        "/b": {"get": {"operationId": "List_all"}, "post": {}},
        "/b/": {"post": {}},
        "/c": {"get": {"operationId": "x" * 300}, "put": {"operationId": "\u0430\u0431"}},
    }
    assert list(understood(document(paths)).definitions) == [
        "it.list_all",
        "it.post_a",
        "it.get_b",
        "it.post_b",
        "it.post_b_2",
        "it." + "x" * 88,
        "it._",
    ]


def test_parameters_that_share_a_name() -> None:
    """Each is an argument of its own, and so is the body."""
    told: list[dict[str, Any]] = [
        {"name": "id", "in": where, "schema": {}} for where in ("path", "query", "header")
    ]
    told.append({"name": "body", "in": "query", "schema": {}})
    content: dict[str, Any] = {"text/plain": {}}
    given = document({"/{id}": {"put": {"parameters": told, "requestBody": {"content": content}}}})
    _, schema = only(given)
    assert set(schema["properties"]) == {"id", "query_id", "header_id", "query_body", "body"}


def test_what_no_argument_may_set() -> None:
    """Headers of the connection itself, of its credential, and those that end a request."""
    names = ("Host", "Content-Length", "authorization", "X-Key", "Bad\r\nName", "X-Fine")
    told = [{"name": name, "in": "header", "schema": {}} for name in names]
    _, schema = only(document({"/": {"get": {"parameters": told}}}), signed=["x-key"])
    assert set(schema["properties"]) == {"X-Fine"}


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"name": "s", "in": "cookie", "required": True}]},
        {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
        {"parameters": [{"name": "m", "in": "query", "style": "odd"}]},
        {"parameters": [{"name": f"p{n}", "in": "query"} for n in range(201)]},
    ],
)
def test_what_can_not_be_called_is_left_out(operation: dict[str, Any]) -> None:
    """And counted; what is beside it stays."""
    found = understood(document({"/a": {"post": operation, "get": {}}, "/b?x": {"get": {}}}))
    assert list(found.definitions) == ["it.get_a"]
    assert found.left_out == 2


def test_references_that_lead_nowhere() -> None:
    """Nothing outside is fetched; circles of references end."""
    circle = {"$ref": "#/components/schemas/A"}
    body = {
        "type": "object",
        "properties": {
            "outside": {"$ref": "https://evil.example/schema.json"},
            "file": {"$ref": "file:///etc/passwd"},
            "missing": {"$ref": "#/components/schemas/None"},
            "circle": circle,
            "$ref": {"type": "string"},
        },
    }
    given = document(
        {
            "/a": {"post": {"requestBody": {"content": {"application/json": {"schema": body}}}}},
            "/b": {"$ref": "#/paths/~1b"},
            "/c": {"$ref": "https://evil.example/paths"},
        },
        components={"schemas": {"A": circle}},
    )
    _, schema = only(given)
    sent = schema["properties"]["body"]["properties"]
    assert sent["outside"] == sent["file"] == sent["missing"] == {}
    assert sent["circle"] == {"$ref": "#/$defs/A"}
    assert sent["$ref"] == {"type": "string"}


def test_what_is_deep_or_wide_may_be_anything() -> None:
    """The tool is there, and the service itself checks it."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5000)}}
    for body in (deep, wide):
        content = {"application/json": {"schema": body}}
        found, _ = only(document({"/a": {"post": {"requestBody": {"content": content}}}}))
        assert len(found.input_schema) < 64 * 1024


def test_a_large_schema_loses_its_words_first() -> None:
    """A reader of names and types is helped more than one of nothing."""
    members = {f"p{n}": {"type": "string", "description": "word " * 50} for n in range(300)}
    schema = {"$ref": "#/components/schemas/Large"}
    content = {"application/json": {"schema": schema}}
    given = document(
        {"/a": {"post": {"requestBody": {"content": content}}}},
        components={"schemas": {"Large": {"type": "object", "properties": members}}},
    )
    _, read = only(given)
    assert read["$defs"]["Large"]["properties"]["p299"] == {"type": "string"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", Reason.INVALID_ARGUMENT),
        (b"{", Reason.INVALID_ARGUMENT),
        (b"[" * 200_000, Reason.INVALID_ARGUMENT),
        (b'{"a":' * 200_000, Reason.INVALID_ARGUMENT),
        (b"- " * 200_000, Reason.INVALID_ARGUMENT),
        (b"openapi: 3.0.0\npaths: &a [*a]\n", Reason.INVALID_ARGUMENT),
        (b"openapi: !!python/object/apply:os.system ['true']\n", Reason.INVALID_ARGUMENT),
        (b'{"openapi": "4.0.0", "paths": {}}', Reason.INVALID_ARGUMENT),
        (b"<html>no</html>", Reason.INVALID_ARGUMENT),
        (b"{" + b" " * MAX_DOCUMENT, Reason.LIMIT_EXCEEDED),
    ],
)
def test_what_is_no_document_is_named(text: bytes, reason: Reason) -> None:
    """And ends nothing: neither the process nor its memory."""
    with pytest.raises(DomainError) as refused:
        understood(text)
    assert refused.value.reason is reason


def test_a_million_operations() -> None:
    """They are refused before any of them is read."""
    text = json.dumps(document({f"/{n:x}": {"get": {}} for n in range(700_000)}))
    began = time.process_time()
    with pytest.raises(DomainError, match="10000 operations"):
        understood(text.replace(" ", "").encode())
    assert time.process_time() - began < 5


def test_more_than_a_thousand_operations() -> None:
    """The first thousand are tools, the others are counted."""
    found = understood(document({f"/a{n}": {"get": {}} for n in range(1500)}))
    assert (len(found.definitions), found.left_out) == (1000, 500)


def test_laughs() -> None:
    """Aliases of aliases are no more than what they say once."""
    lines = [b"openapi: 3.0.0", b"x0: &x0 {type: string}"]
    for n in range(1, 40):
        each = b", ".join([b"*x%d" % (n - 1)] * 10)
        lines.append(b"x%d: &x%d {anyOf: [%s]}" % (n, n, each))
    lines.append(b"paths: {/a: {get: {parameters: [{name: q, in: query, schema: *x39}]}}}")
    began = time.process_time()
    _, schema = only(b"\n".join(lines))
    assert time.process_time() - began < 5
    assert schema == {"type": "object"}


MANY = 60_000
OTHER_KEYS: dict[str, Any] = {f"a/k{n}": 1 for n in range(MANY)}
SHARED_SCHEMAS: dict[str, Any] = {
    "values": {"enum": [0] * MANY},
    "required names": {"required": ["a"] * MANY},
    "types": {"type": ["string"] * MANY},
    "keywords that are not known": OTHER_KEYS,
    "members that are hidden": {"properties": {key: {"readOnly": True} for key in OTHER_KEYS}},
    "references": {"anyOf": [{"$ref": f"#/components/schemas/s{n}"} for n in range(1_900)]},
    "words": {"type": "string", "description": "\u00e4" * 2_000_000},
}


@pytest.mark.parametrize("shared", SHARED_SCHEMAS.values(), ids=SHARED_SCHEMAS)
def test_what_operations_share_is_not_read_for_each(shared: Any) -> None:
    """A document costs what it has, however often that is referred to."""
    given = {"p": {"name": "p", "in": "query", "schema": shared}}
    reference = {"parameters": [{"$ref": "#/components/parameters/p"}]}
    paths = {f"/a{n}": {"get": reference} for n in range(1_000)}
    schemas: dict[str, Any] = {f"s{n}": {} for n in range(1_900)}
    text = json.dumps(document(paths, components={"parameters": given, "schemas": schemas}))
    began = time.process_time()
    assert len(understood(text.encode()).definitions) == 1_000
    assert time.process_time() - began < 5


SHARED_PARTS: dict[str, Any] = {
    "statuses": {"responses": OTHER_KEYS},
    "types of answers": {"responses": {"200": {"content": {key: {} for key in OTHER_KEYS}}}},
    "types of bodies": {"requestBody": {"content": {key: {} for key in OTHER_KEYS}}},
    "words": {"description": "\u00e4" * 2_000_000, "operationId": "a b" * 1_000_000},
}


@pytest.mark.parametrize("shared", SHARED_PARTS.values(), ids=SHARED_PARTS)
def test_what_paths_share_is_not_read_for_each(shared: Any) -> None:
    """The same for paths that are one and the same."""
    item = {"x": {"post": shared}}
    paths = {f"/a{n}": {"$ref": "#/components/pathItems/x"} for n in range(1_000)}
    text = json.dumps(document(paths, components={"pathItems": item}))
    began = time.process_time()
    assert len(understood(text.encode()).definitions) == 1_000
    assert time.process_time() - began < 5
