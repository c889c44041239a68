"""What is built and installed once for the tests of one file or more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installed.environments import Installed, build

BUILDS_S = 900
"""A test's time limit while it may have to wait for builds and downloads, in seconds."""

Install = Callable[[str], Installed]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here may be the first that needs what is built; that has its own deadlines."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(BUILDS_S))


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an environment compiles is kept: its programs are started several times."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `uv build` makes of this tree."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """``installed("mesh,stores")``: the environment has the wheel with these extras, no more.

    It is one for all, so that what has been compiled once is not compiled again.
    """
    made = Installed.empty(tmp_path_factory.mktemp("installed") / "wheel")
    return lambda wanted: made.have(wheel, wanted)


@pytest.fixture
def bare(installed: Install) -> Installed:
    """The environment of the wheel without any extra."""
    return installed("")
