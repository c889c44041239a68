"""What services answer, in whatever characters they say it is."""

import time

import pytest

from antiphon_server.integration.connections.rest.adapters.results import result

SOON_S = 2.0


def test_an_answer_is_decoded_in_time_that_grows_with_it_alone() -> None:
    """Python's punycode takes four times as long for twice the bytes, on the loop of all calls."""
    began = time.monotonic()
    result(200, "text/plain", "punycode", b"-" + b"ya" * 200_000, promised=False)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize(
    "charset", ["idna", "undefined", "utf-7", "raw_unicode_escape", "hex", "no such", ""]
)
def test_an_answer_of_an_odd_charset_is_text(charset: str) -> None:
    """It was called: what it answered is told, and can be written into events."""
    told = result(200, "text/plain", charset, b"\\ud800 +2AA- \xff", promised=False)
    assert told.parts[0].content == "\\ud800 +2AA- \ufffd"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("ISO-8859-1", b"\xe4"),
        ("iso-8859-15", b"\xe4"),
        ("windows-1252", b"\xe4"),
        ("utf-16", b"\xff\xfe\xe4\0"),
        ("UTF-8", b"\xc3\xa4"),
        ("gb18030", "\u00e4".encode("gb18030")),
    ],
)
def test_an_answer_is_read_in_its_charset(charset: str, body: bytes) -> None:
    """Those that services use."""
    assert result(200, "text/plain", charset, body, promised=False).parts[0].content == "\u00e4"
