"""How many processes share the tests, and which tests, where nobody says it."""

import contextlib
import importlib
import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from antiphon_server.runtime.process.memory import collect_later, collect_seldom

# Most tests wait rather than compute; each process may have a Postgres of its own.
PER_CORE, MOST = 2, 8
# What takes long goes first: at the end the one process that has a long file would be waited for.
LONG = (
    *("proofs", "installed", "integration", "cli", "apart"),
    *("mesh", "e2e", "access", "web", "clients"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Leave proofs to who names them; take processes where there are several files to share."""
    option = config.option
    if config.args_source is config.ArgsSource.TESTPATHS and not option.markexpr:
        option.markexpr = "not proof"
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("xdist") or option.tx:
        return
    if option.numprocesses is None and not _in_one_process(config):
        option.numprocesses = min(PER_CORE * len(os.sched_getaffinity(0)), MOST)
    if option.numprocesses and option.dist == "no":
        # A file's tests share what they start, so they stay together, in the order of below.
        option.dist, option.loadscopereorder = "loadfile", False


def _in_one_process(config: pytest.Config) -> bool:
    """Whether somebody looks at the tests as they run, or has named one file."""
    option = config.option
    files = {argument.partition("::")[0] for argument in config.args}
    looking = option.usepdb or option.trace or option.collectonly or option.capture == "no"
    return looking or (len(files) == 1 and files.pop().endswith(".py"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import the tests, each worker from another one on: so that one compiles it for all."""
    work = getattr(session.config, "workerinput", None)
    if work is None:
        return
    collect_later()
    named = [session.config.rootpath / arg.partition("::")[0] for arg in session.config.args]
    files = sorted(file for path in named for file in path.rglob("test_*.py"))
    begin = len(files) * int(work["workerid"].removeprefix("gw")) // work["workercount"]
    for file in files[begin:] + files[:begin]:
        inside = file.relative_to(session.config.rootpath).with_suffix("")
        with contextlib.suppress(Exception, pytest.skip.Exception):  # collecting tells it
            importlib.import_module(".".join(inside.parts))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long, on one of several workers. A single process keeps the order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item))


def pytest_collection_finish() -> None:
    """What collecting has made stays: it is not looked at for garbage again and again."""
    collect_seldom()


def _rank(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1]
    return LONG.index(folder) if folder in LONG else len(LONG)


class _Files(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests on one worker; those of a folder whose files build in one place, too."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder = "/".join(file.split("/")[:2])
        return folder if folder in ("tests/clients", "tests/installed") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Ours where xdist would take its own that goes by files."""
    return _Files(config, log) if config.option.dist == "loadfile" else None
