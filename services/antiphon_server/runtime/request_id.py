"""The id by which one RPC is found in logs, also by the services it calls."""

from contextvars import ContextVar

HEADER = "x-request-id"

_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the RPC that runs in this task, "" outside of one."""
    return _current.get()


def set_request_id(request_id: str) -> str:
    """Note the id for the rest of this task and return the one before."""
    before = _current.get()
    _current.set(request_id)
    return before
