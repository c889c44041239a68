import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest
import uvicorn
from app import app

from antiphon_client import text_of
from antiphon_client.testing import Server


@contextmanager
def served() -> Iterator[str]:
    """The app, on a port of its own, beside the tests."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(antiphon_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("ANTIPHON_ADDRESS", antiphon_server.address)
    monkeypatch.setenv("ANTIPHON_API_KEY", antiphon_server.key.secret)
    with served() as url:
        yield url


def asked(url: str, text: str, **more: str) -> list[tuple[str, str]]:
    """The events of an answer: their names and data."""
    with httpx.stream("POST", f"{url}/ask", json={"text": text, **more}, timeout=60) as answer:
        lines = [line.partition(": ")[2] for line in answer.iter_lines() if line]
    return [(name, json.loads(data)) for name, data in zip(lines[::2], lines[1::2], strict=True)]


def test_an_answer_streams_in(url: str, antiphon_server: Server) -> None:
    (first, where), *pieces, last = asked(url, "What is the capital of France?")
    assert (first, last) == ("conversation", ("end", ""))
    assert "".join(text for _, text in pieces) == "The capital of France is Paris."

    async def messages() -> list[str]:
        async with antiphon_server.client() as client:
            return [text_of(it.parts) async for it in client.list_messages(where)]

    assert asyncio.run(messages())[0] == "The capital of France is Paris."


def test_what_goes_wrong_is_an_event(url: str) -> None:
    assert asked(url, "Hello", conversation_id="conv_00000000")[-1] == ("error", "NOT_FOUND")
