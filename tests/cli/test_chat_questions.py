"""A chat in which a tool asks its user something."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal
from tests.integration.connections.mcp.asking import SERVER

ASK = "A cake, please."
CALLS = {ASK: [{"tool": "cakes.bake", "arguments": '{"who": "Anna"}'}]}
MODEL = {"name": "test/echo", "kind": "scripted", "model": "echo", "script": {"calls": CALLS}}


@pytest.fixture
def server(home: Home) -> Iterator[str]:
    """The address of a server whose tools ask, kept for the test."""
    command = [sys.executable, SERVER, str(home.path / "done"), "http"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def chat(home: Home, server: str) -> Iterator[Terminal]:
    connections = [{"name": "cakes", "mcp": server}]
    told = {
        **home.environment,
        "ANTIPHON_MODELS": json.dumps([MODEL]),
        "ANTIPHON_CONNECTIONS": json.dumps(connections),
    }
    command = ["chat", "--model", "test/echo", "--tool", "cakes.*"]
    with Terminal(command, told) as terminal:
        terminal.wait_for(">$")
        yield terminal


def test_fields_are_asked_for_one_by_one(chat: Terminal) -> None:
    """A choice by its number, a number in words refused, a default kept; a limit is told after."""
    chat.line(ASK)
    asked = chat.wait_for("Allow it")
    chat.line("y")
    shown = chat.wait_for("cakes.bake asks: Which cake\ufffd shall it be", after=asked.end())
    chat.wait_for("Answer it", after=shown.end())
    for slices, then in (("13", "content_json.slices"), ("4", "4 slices of lemon for Anna")):
        chat.line("y")
        flavour = chat.wait_for(r"\(Its taste\): one of these\n +1: lemon", after=shown.end())
        chat.line("1")
        amount = chat.wait_for("integer", after=flavour.end())
        chat.line("four")
        wrong = chat.wait_for("A whole number, please", after=amount.end())
        chat.line(slices)
        chat.wait_for(r"candles|Candles", after=wrong.end())
        chat.line("")
        shown = chat.wait_for(then, after=wrong.end())


def test_who_answers_at_once_is_asked_again(chat: Terminal) -> None:
    """What is neither yes nor no declines nothing."""
    chat.line(ASK)
    asked = chat.wait_for("Allow it")
    chat.line("y")
    shown = chat.wait_for("Answer it", after=asked.end())
    chat.line("lemon")
    again = chat.wait_for("y or n, please", after=shown.end())
    chat.line("n")
    chat.wait_for("No cake for Anna: decline", after=again.end())


def test_who_does_not_want_to_declines(chat: Terminal) -> None:
    """By n, or by leaving off in the middle; the tool is told."""
    chat.line(ASK)
    asked = chat.wait_for("Allow it")
    chat.line("y")
    shown = chat.wait_for("Answer it", after=asked.end())
    chat.line("n")
    declined = chat.wait_for("No cake for Anna: decline", after=shown.end())
    chat.wait_for(">$", after=declined.end())
    chat.line(ASK)
    asked = chat.wait_for("Allow it", after=declined.end())
    chat.line("y")
    shown = chat.wait_for("Answer it", after=asked.end())
    chat.line("y")
    chat.wait_for("one of these", after=shown.end())
    chat.type("\x04")
    chat.wait_for("No cake for Anna: decline", after=shown.end())
