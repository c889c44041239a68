"""How other commands on this machine find a server."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from antiphon_server.cli import where
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.paths import SERVER_FILE
from antiphon_server.cli.server_file import ServerFile, told_in
from antiphon_server.cli.where import server_for
from antiphon_server.runtime.storage.data_dir_lock import exclusive, is_taken


def test_what_another_server_wrote_stays(tmp_path: Path) -> None:
    """One that never came to serve takes nothing away, though in containers both have one pid."""
    running, refused = ServerFile(tmp_path), ServerFile(tmp_path)
    running.write({"address": "127.0.0.1:7450"})
    refused.withdraw()
    assert told_in(tmp_path)["address"] == "127.0.0.1:7450"
    running.withdraw()
    assert told_in(tmp_path) == {}


def test_a_server_that_is_starting_is_waited_for(tmp_path: Path) -> None:
    """It has the folder and its port, but has not said so yet: nobody is told to start another."""
    left = {"address": "127.0.0.1:1", "pid": 2**22 + 1}  # by one that was killed
    (tmp_path / SERVER_FILE).write_text(json.dumps(left))
    with exclusive(tmp_path), socket.create_server(("127.0.0.1", 0)) as port:
        address = f"127.0.0.1:{port.getsockname()[1]}"

        def begin() -> None:
            time.sleep(0.5)
            ServerFile(tmp_path).write({"address": address})

        beginning = threading.Thread(target=begin)
        beginning.start()
        assert server_for("", tmp_path) == address
        beginning.join()


def test_one_that_never_says_where_it_is_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while: what has the folder may be no server of this kind."""
    monkeypatch.setattr(where, "_START_S", 0.2)
    with exclusive(tmp_path), pytest.raises(CommandError, match="does not say where it listens"):
        server_for("", tmp_path)


def test_who_looks_takes_nothing(tmp_path: Path) -> None:
    """A folder that was only looked at is free, and one that is taken stays so."""
    assert not is_taken(tmp_path)
    with exclusive(tmp_path):
        assert is_taken(tmp_path)
        assert is_taken(tmp_path)
    assert not is_taken(tmp_path)
    with exclusive(tmp_path):
        pass
