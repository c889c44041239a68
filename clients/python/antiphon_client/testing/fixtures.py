"""Fixtures for pytest: ``pytest_plugins = ["antiphon_client.testing.fixtures"]`` in conftest.py."""

from collections.abc import Iterator

import pytest

from antiphon_client.testing.server import Server


@pytest.fixture(scope="session")
def antiphon_answers() -> dict[str, str]:
    """What the model says to which question; redefine it. Other questions are repeated."""
    return {}


@pytest.fixture(scope="session")
def antiphon_server(antiphon_answers: dict[str, str]) -> Iterator[Server]:
    """One server for all tests, which it is apart from: make a conversation for each."""
    with Server(answers=antiphon_answers) as server:
        yield server
