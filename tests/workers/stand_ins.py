"""Workers and turns without streams and servers."""

from typing import Any

from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handling import Order, Turn, TurnId, Work
from antiphon_server.dispatcher.model import ConversationId, Policy
from antiphon_server.dispatcher.turn_work import TurnWork
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.workers.frames import Introduction, Offer, Said, Told, Want, WorkerId
from antiphon_server.workers.limits import WorkerLimits
from antiphon_server.workers.session import AtWorker, Session, Speaker

LIMITS = WorkerLimits()
_NONE: Any = None
PROGRAM = Speaker(Principal("user", UserId("user_p"), SessionId("sess_p")), "token")


def worker_id(number: int) -> WorkerId:
    return WorkerId(f"worker_{number:08}")


def turn_id(number: int) -> TurnId:
    return TurnId(f"turn_{number:08}")


def session(
    number: int = 1, slots: int = 1, handler: str = "it", limits: WorkerLimits = LIMITS
) -> Session:
    """A worker of everybody's handler."""
    worker = Introduction(worker_id(number), "user_p", "it", "", (Offer(handler),), slots)
    return Session(worker, {handler: frozenset({"global"})}, PROGRAM, limits)


def want(number: int, **more: object) -> Want:
    """What a turn of that handler needs."""
    return Want(turn_id(number), "it", "global", **more)  # type: ignore[arg-type]


def told(session: Session) -> list[Told]:
    """What waits for the worker, taken."""
    waiting = [*session._out, *session._acks.values()]
    session._out.clear()
    session._acks.clear()
    return waiting


def work(number: int) -> Work:
    """A turn's first attempt, of which nothing is written."""
    order = Order(b"", "it", Policy.QUEUE)
    turn = Turn(turn_id(number), ConversationId("conv_1"), "users/user_a", 0, b"", order)
    writer = TextWriter(_NONE, turn)
    return TurnWork(turn, "", writer, _NONE, set, lambda: False, _NONE, _NONE)


class Inbox:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Said] = []
        self.dropped_at: float | None = None

    def hear(self, session: AtWorker, fence: int, said: Said, wire: object) -> None:
        self.heard.append(said)

    def renew(self, now: float) -> bool:
        return True

    def dropped(self, session: AtWorker, now: float) -> None:
        self.dropped_at = now
