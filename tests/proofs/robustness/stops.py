"""A stop reaches the model: whoever stopped a turn pays for nothing more of it."""

from collections.abc import Iterator

from tests.proofs.robustness.history import History

# A frozen server is told late: longer than the longest freeze (faults.py).
TOLD_S = 4.0


def stop_reaches_the_model(history: History) -> Iterator[str]:
    """Each request of a stopped turn is over soon after the answer to the stop."""
    stops = {stop.turn_id: stop for stop in history.stops}
    for request in history.served or ():
        stop = stops.get(request.turn_id)
        if stop is None:
            continue
        if stop.early:
            yield f"turn {stop.turn_id}: the model was asked though it was stopped before"
        due = max(stop.at, request.received) + TOLD_S
        if request.over is None or request.over > due:
            late = "never" if request.over is None else f"{request.over - stop.at:.1f} s later"
            yield f"turn {stop.turn_id}: was stopped, its model {late}"


def ends_are_told(history: History) -> Iterator[str]:
    """Who asks for a turn after its end was seen is told that end."""
    for told in history.told:
        if told.state != told.seen:
            yield f"turn {told.turn_id}: {told.call} said {told.state} after {told.seen} was seen"
