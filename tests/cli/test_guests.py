"""Guests keep the server of a data directory for as long as they are there."""

import asyncio
import os
import threading
from pathlib import Path

from antiphon_server.cli.guests import GUESTS_FILE, any_present, present


async def test_a_guest_is_present_until_it_leaves(tmp_path: Path) -> None:
    """Nobody, somebody, nobody."""
    assert not await any_present(tmp_path)
    with present(tmp_path):
        assert await any_present(tmp_path)
    assert not await any_present(tmp_path)


async def test_a_slow_disk_does_not_hold_up_the_server(tmp_path: Path) -> None:
    """The loop goes on while the file is opened: a pipe opens only when somebody reads it."""
    pipe = tmp_path / GUESTS_FILE
    os.mkfifo(pipe)
    readers: list[int] = []
    reads = threading.Timer(0.2, lambda: readers.append(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)))
    reads.start()
    looking = asyncio.create_task(any_present(tmp_path))
    await asyncio.sleep(0.01)
    assert not looking.done()
    assert not await looking
    reads.join()
    os.close(*readers)
