"""The RPC that runs in this task: the ids by which logs name it, here and where it calls."""

from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "x-request-id"


@dataclass(slots=True, eq=False)
class Rpc:
    """An RPC that runs. ``session`` is its caller's, as soon as that is known."""

    request_id: str = ""
    session: str = ""


_NONE = Rpc()
_current: ContextVar[Rpc] = ContextVar("rpc", default=_NONE)


def current_request_id() -> str:
    """The id of the RPC that runs in this task, "" outside of one."""
    return _current.get().request_id


def current_session() -> str:
    """Whose session the RPC that runs in this task belongs to, "" if that is not known."""
    return _current.get().session


def set_rpc(rpc: Rpc) -> Rpc:
    """Note the RPC for the rest of this task and return the one before."""
    before = _current.get()
    _current.set(rpc)
    return before


def note_session(session: str) -> None:
    """Note whose session the running RPC belongs to: all lines of its log have it from here on,
    and those of the tasks that it begins.
    """
    rpc = _current.get()
    if rpc is not _NONE:
        rpc.session = session
