"""The threads that look at passwords stand back behind all others."""

import os
import threading

import pytest

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool


async def test_evaluations_stand_back() -> None:
    """Their threads are nicer than this one, and leave it a processor if there are several."""
    before = set(threading.enumerate())
    pool = Argon2Pool()
    await pool.hash(b"correct horse battery")
    new = set(threading.enumerate()) - before
    (thread,) = [it for it in new if it.name.startswith("argon2")]
    assert thread.native_id is not None
    niceness = os.getpriority(os.PRIO_PROCESS, thread.native_id)
    theirs = os.sched_getaffinity(thread.native_id)
    await pool.close()
    all_of_them = os.sched_getaffinity(0)
    assert niceness > os.getpriority(os.PRIO_PROCESS, 0)
    assert theirs < all_of_them or len(all_of_them) == 1


async def test_a_system_that_forbids_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are looked at, though a sandbox refuses to have the threads stand back."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    pool = Argon2Pool()
    encoded = await pool.hash(b"correct horse battery")
    assert await pool.verify(encoded, b"correct horse battery")
    await pool.close()
