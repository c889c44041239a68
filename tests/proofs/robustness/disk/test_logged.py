"""The judge of logs excuses what the disk refused, and nothing else."""

import json

import pytest

from tests.proofs.robustness.disk.logged import LOGGERS, unexcused


def entry(message: str, logger: str = min(LOGGERS)) -> str:
    return json.dumps({"level": "error", "logger": logger, "message": message})


@pytest.mark.parametrize("logger", sorted(LOGGERS))
@pytest.mark.parametrize(
    "message",
    [
        "a commit failed: disk I/O error",
        "a commit failed: database or disk is full",
        "the database could not be read: disk I/O error",
    ],
)
def test_what_the_disk_refused_is_excused(message: str, logger: str) -> None:
    """A server may say so."""
    assert unexcused([entry(message, logger)]) == []


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        entry("a commit failed: UNIQUE constraint failed: events_log.scope_id"),
        entry("a commit failed: disk I/O error", logger="antiphon_server.events.log"),
        entry("a batch could not be appended"),
    ],
)
def test_everything_else_is_told(line: str) -> None:
    """Another error, another speaker, a trace."""
    assert len(unexcused([line])) == 1
