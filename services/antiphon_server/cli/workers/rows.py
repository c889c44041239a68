"""Workers as people read them."""

from antiphon.dispatcher.v1.worker_service_pb2 import (
    WORKER_STATE_BUSY,
    WORKER_STATE_DRAINING,
    WORKER_STATE_QUARANTINED,
    WORKER_STATE_READY,
    Worker,
    WorkerState,
)
from antiphon_server.cli.encoding import local_time
from antiphon_server.cli.kinds import name_of

HEADINGS = (
    *("deployment", "version", "serves", "state", "turns"),
    *("since", "heard", "accepts in", "finished", "worker"),
)
_DAY, _SECOND = "%Y-%m-%d %H:%M", "%H:%M:%S"
_STATES = {
    WORKER_STATE_READY: "ready",
    WORKER_STATE_BUSY: "busy",
    WORKER_STATE_DRAINING: "about to stop",
}


def row_of(worker: Worker) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`HEADINGS` say."""
    return (
        worker.deployment,
        worker.version,
        ", ".join(worker.handlers),
        state_of(worker),
        f"{worker.turns}/{worker.slots}",
        local_time(worker.connect_time, _DAY),
        local_time(worker.heartbeat_time, _SECOND),
        f"{worker.accept_p50_ms:.1f} ms" if worker.accept_p50_ms else "",
        f"{worker.finished_turns:,}",
        worker.worker_id,
    )


def state_of(worker: Worker) -> str:
    """What it is given now, and why nothing."""
    if worker.state == WORKER_STATE_QUARANTINED:
        until = local_time(worker.quarantine_end_time, _SECOND)
        return f"given nothing until {until}: it did not answer"
    return _STATES.get(worker.state) or name_of(WorkerState, "WORKER_STATE_", worker.state)
