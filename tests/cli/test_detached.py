"""A server without a terminal, or whose terminal goes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from antiphon_server.cli.paths import SERVER_FILE
from antiphon_server.cli.where import local_server
from tests.cli.conftest import Home
from tests.e2e.until import PATIENCE_S

UP = f"{sys.executable} -m antiphon_server up --port 0 --admin-port 0 --model scripted/test"


@contextmanager
def shell(home: Home, command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A shell's command, with its own group of processes, which is ended with the block."""
    # As most people have it: what Python has to write waits in a buffer.
    environment = {**os.environ, **home.environment, "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(
        # Whoever runs the tests may have asked for no hang-up.
        ["env", "--default-signal=HUP", "sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def until(holds: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def pid(folder: Path) -> int:
    return int(json.loads((folder / SERVER_FILE).read_text())["pid"])


@pytest.mark.parametrize("end", ["2>&1 | head -1", "2>&1 | true", "<&- >&- 2>&-"])
def test_a_server_does_not_need_its_streams(home: Home, end: str) -> None:
    """It serves where nobody reads what it says, and ends well."""
    with shell(home, f"{{ {UP}; echo $? > {home.path}/code; }} {end}; sleep 60"):
        until(lambda: local_server(home.data_dir))
        os.kill(pid(home.data_dir), signal.SIGTERM)
        until(lambda: (home.path / "code").exists() and (home.path / "code").read_text())
        assert (home.path / "code").read_text() == "0\n"


def test_a_hang_up_ends_a_server_well(home: Home) -> None:
    """Its terminal is gone: it drains as for SIGTERM, and says that it is away."""
    with shell(home, f"exec {UP} 2>/dev/null") as process:
        until(lambda: local_server(home.data_dir))
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE_S) == 0
        assert not (home.data_dir / SERVER_FILE).exists()


def test_nohup_outlives_the_terminal(home: Home) -> None:
    """Who asked for no hang-up gets none."""
    with shell(home, f"exec nohup {UP} 2>/dev/null") as process:
        until(lambda: local_server(home.data_dir))
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
