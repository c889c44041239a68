"""A refusing disk excuses its own errors in the log, and no other."""

import json

from tests.robustness.disk.logged import REFUSAL, unexcused


def entry(message: str = REFUSAL[1], logger: str = REFUSAL[0], raised: str = "") -> str:
    trace = {"exception": f"Traceback (most recent call last):\n  x\n{raised}"} if raised else {}
    return json.dumps({"level": "error", "logger": logger, "message": message, **trace})


def test_a_commit_that_the_disk_refused_is_excused() -> None:
    """With its trace the first time, without one as long as it goes on."""
    full = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database or disk is full"
    assert unexcused([entry(), entry(raised=full)]) == []


def test_anything_else_is_not() -> None:
    """Another commit's error, another logger, another message, a bare trace: each is found."""
    wrong = [
        entry(raised="KeyError: 'turn'"),
        entry(logger="antiphon_server.app"),
        entry("a defect"),
        "Traceback (most recent call last):",
    ]
    assert len(unexcused(wrong)) == 4
