"""What is sent: no argument leads to another place, or says more than its parameter."""

import json
from typing import Any
from urllib.parse import unquote

import pytest
from yarl import URL

from antiphon_server.runtime.errors import DomainError, Reason
from tests.integration.connections.rest.documents import document, sent, swagger

FILE = document(
    {"/files/{name}": {"get": {"parameters": [{"name": "X-Note", "in": "header", "schema": {}}]}}},
    servers=[{"url": "https://api.example/v1/"}],
)
FORM = "application/x-www-form-urlencoded"


def query(value: Any, **parameter: Any) -> str:
    given = {"name": "q", "in": "query", "schema": {}} | parameter
    url = sent(document({"/": {"get": {"parameters": [given]}}}), {"q": value}).url
    return url.partition("?")[2]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a b", "/v1/files/a%20b"),
        ("a/b", "/v1/files/a%2Fb"),
        ("a?b#c", "/v1/files/a%3Fb%23c"),
        ("a%2Fb", "/v1/files/a%252Fb"),
        ("@evil.example", "/v1/files/%40evil.example"),
        ("\u00e4", "/v1/files/%C3%A4"),
        ("...", "/v1/files/..."),
        (7, "/v1/files/7"),
    ],
)
def test_a_value_stays_within_its_part_of_the_path(value: Any, path: str) -> None:
    """As it is sent, and as the library that sends it reads it."""
    url = sent(FILE, {"name": value}).url
    assert url == f"https://api.example{path}"
    read = URL(url)
    assert (read.host, unquote(read.raw_path)) == ("api.example", unquote(path))
    assert read.raw_path.count("/") == 3


UP = ["", ".", "..", "../x", "a/../b", "a\\..\\b", "..;x", "x/..", ".. /x", "..%2f"]
UP += ["%2e%2e", "%252e%252e%252fx", "a\0b", "\n", "\ud800"]


@pytest.mark.parametrize("value", UP)
def test_a_value_that_leads_away_is_refused(value: str) -> None:
    """However it is spelled, for proxies and services that unpack it again."""
    with pytest.raises(DomainError) as refused:
        sent(FILE, {"name": value})
    assert refused.value.reason is Reason.TOOL_ARGUMENTS_INVALID
    assert refused.value.metadata["path"] == "$.name"


def test_values_that_lead_away_together() -> None:
    """Two dots of two values are the way up, too."""
    with pytest.raises(DomainError):
        sent(document({"/a/{x}{y}/b": {"get": {}}}), {"x": "a", "y": "b/.."})
    with pytest.raises(DomainError):
        sent(document({"/a/{x}.{y}": {"delete": {}}}), {"x": ".", "y": "b"})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0", "\x7f"])
def test_a_header_is_one_header(value: str) -> None:
    """What would end it is refused."""
    with pytest.raises(DomainError, match="can't be a header"):
        sent(FILE, {"name": "a", "X-Note": value})


def test_queries() -> None:
    """Lists and objects as their styles say."""
    assert query("a&b=c") == "q=a%26b%3Dc"
    assert query(True) == "q=true"
    assert query(None) == ""
    assert query(["a", "b"]) == "q=a&q=b"
    assert query(["a", "b"], explode=False) == "q=a%2Cb"
    assert query(["a", "b"], style="pipeDelimited", explode=False) == "q=a%7Cb"
    assert query({"a": 1, "b": "x"}) == "a=1&b=x"
    assert query({"a": 1}, style="deepObject") == "q%5Ba%5D=1"
    assert query({"a": 1}, content={"application/json": {}}) == "q=%7B%22a%22%3A+1%7D"
    told = [{"name": "q", "in": "query", "type": "array", "collectionFormat": "multi"}]
    many = swagger({"/": {"get": {"parameters": told}}})
    assert sent(many, {"q": [1, 2]}).url.endswith("?q=1&q=2")


@pytest.mark.parametrize(
    ("media_type", "value", "body"),
    [
        ("application/json", {"a": "\u00e4"}, '{"a": "\u00e4"}'),
        ("application/vnd.it+json", [1], "[1]"),
        (FORM, {"a": "b&c", "d": [1, 2]}, "a=b%26c&d=1&d=2"),
        ("text/plain", "a", "a"),
    ],
)
def test_bodies(media_type: str, value: Any, body: str) -> None:
    """As the document says; a change has the call's id as its key."""
    given = document({"/": {"post": {"requestBody": {"content": {media_type: {}}}}}})
    found = sent(given, {"body": value})
    assert found.body == body.encode()
    assert found.headers["Content-Type"].startswith(media_type)
    assert found.headers["Idempotency-Key"] == "call_1"


def test_a_form_of_several_parts() -> None:
    """No field's name or value begins another part."""
    content: dict[str, Any] = {"multipart/form-data": {}}
    given = document({"/": {"post": {"requestBody": {"content": content}}}})
    found = sent(given, {"body": {'a"\r\nx': "1\r\n--x", "b": {"c": 1}}})
    boundary = found.headers["Content-Type"].partition("boundary=")[2]
    assert found.body is not None
    assert found.body.count(f"--{boundary}".encode()) == 3
    assert b'name="a%22%0D%0Ax"\r\n\r\n1' in found.body


def test_what_repeats_without_a_key() -> None:
    """PUT and DELETE need none."""
    assert "Idempotency-Key" not in sent(document({"/": {"put": {}}}), {}).headers
    assert json.dumps(dict(sent(document({"/": {"get": {}}}), {}).headers)) == '{"Accept": "*/*"}'
