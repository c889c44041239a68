"""What is measured of workers."""

from antiphon_server.runtime.telemetry.metrics import Gauges
from antiphon_server.workers.pool import Pool


def worker_gauges(pool: Pool) -> Gauges:
    """How many workers are here, what they have, and what waits for them."""
    return Gauges(
        {
            "antiphon_workers": (
                "Workers whose streams are open on this server.",
                lambda: len(pool.sessions),
            ),
            "antiphon_worker_slots_free": (
                "Turns that these workers would take at once.",
                lambda: sum(it.free for it in pool.sessions if it.open),
            ),
            "antiphon_worker_turns": (
                "Turns that these workers have.",
                lambda: sum(len(it.turns) for it in pool.sessions),
            ),
            "antiphon_worker_turns_waiting": (
                "Turns of this server that wait for a worker.",
                lambda: pool.waiting,
            ),
        }
    )
