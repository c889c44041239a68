"""Workers as ``antiphon workers list`` shows them."""

import pytest

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.cli.workers.rows import HEADINGS, row_of, state_of

STATES = [
    (pb.WORKER_STATE_READY, "ready"),
    (pb.WORKER_STATE_BUSY, "busy"),
    (pb.WORKER_STATE_DRAINING, "about to stop"),
]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place where it is as late as in Greenwich."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.usefixtures("here")
def test_a_worker_is_shown_with_what_it_does_and_how_quick_it_is() -> None:
    """In the order of the headings."""
    worker = pb.Worker(
        worker_id="worker_00000001",
        deployment="reviewer",
        version="1.2",
        handlers=["lint", "reviewer"],
        state=pb.WORKER_STATE_BUSY,
        slots=4,
        turns=4,
        accept_p50_ms=3.14,
        finished_turns=1234,
    )
    worker.connect_time.FromJsonString("2026-11-25T10:00:00Z")
    worker.heartbeat_time.FromJsonString("2026-11-25T11:22:33Z")
    assert dict(zip(HEADINGS, row_of(worker), strict=True)) == {
        "deployment": "reviewer",
        "version": "1.2",
        "serves": "lint, reviewer",
        "state": "busy",
        "turns": "4/4",
        "since": "2026-11-25 10:00",
        "heard": "11:22:33",
        "accepts in": "3.1 ms",
        "finished": "1,234",
        "worker": "worker_00000001",
    }


@pytest.mark.parametrize(("state", "words"), STATES)
def test_each_state_is_told_in_words(state: pb.WorkerState.ValueType, words: str) -> None:
    """What becomes of turns that it could have."""
    assert state_of(pb.Worker(state=state)) == words


@pytest.mark.usefixtures("here")
def test_one_in_quarantine_is_told_with_its_end() -> None:
    """And one in a state of a newer server by its number."""
    worker = pb.Worker(state=pb.WORKER_STATE_QUARANTINED)
    worker.quarantine_end_time.FromJsonString("2026-11-25T11:22:33Z")
    assert state_of(worker) == "given nothing until 11:22:33: it did not answer"
    assert state_of(pb.Worker(state=99)) == "unknown 99"  # type: ignore[arg-type]


def test_one_that_has_answered_nothing_has_no_time() -> None:
    """Neither 0 ms nor a guess."""
    assert row_of(pb.Worker())[HEADINGS.index("accepts in")] == ""
