"""Other handlers that a worker has work for it."""

from dataclasses import dataclass

from antiphon.dispatcher.v1.worker_pb2 import AskedTurn, TurnEnd
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status


@dataclass(frozen=True, slots=True)
class Delegated:
    """What came of a turn that a worker asked for: its answer, or what there is of it.

    ``turn_id`` is empty if it was not begun. ``omitted_bytes`` of the answer were left out.
    ``failed`` without an error: it was stopped.
    """

    turn_id: str
    text: str
    failed: bool = False
    error: AntiphonError | None = None
    omitted_bytes: int = 0


def asked_turn(handler: str, message: str, time_limit_s: float | None) -> AskedTurn:
    """A turn to ask for."""
    turn = AskedTurn(handler=handler)
    turn.parts.add(text=message)
    if time_limit_s is not None:
        turn.time_limit.FromMilliseconds(round(time_limit_s * 1000))
    return turn


def delegated(end: TurnEnd) -> Delegated:
    """From its message."""
    error = error_of_status(end.error) if end.HasField("error") else None
    return Delegated(end.turn_id, end.text, end.failed, error, end.omitted_bytes)
