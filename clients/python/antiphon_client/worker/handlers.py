"""Handlers as a program says them, and what they say when they fail."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from antiphon.dispatcher.v1.turn_pb2 import LOSS_POLICY_FAIL, LOSS_POLICY_RESUME
from antiphon.dispatcher.v1.worker_pb2 import OfferedHandler
from antiphon_client.worker.work import Work

Handle: TypeAlias = Callable[[Work], Awaitable[None]]
Loss: TypeAlias = Literal["resume", "fail"]
Kind: TypeAlias = Literal["image", "audio", "file"]
_LOSSES = {"resume": LOSS_POLICY_RESUME, "fail": LOSS_POLICY_FAIL}


class WorkFailed(Exception):
    """Raised by a handler: the turn fails, and people read its words."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that works on turns, and what is said of it.

    ``loss`` is what becomes of a turn whose worker is gone, ``takes`` which parts beside text it
    understands. ``examples`` are messages that are for it: at most 64 of 1024 bytes.
    """

    name: str
    run: Handle
    description: str = ""
    loss: Loss = "resume"
    takes: Sequence[Kind] = ()
    examples: Sequence[str] = ()

    def offered(self) -> OfferedHandler:
        """As a hello says it."""
        return OfferedHandler(
            name=self.name,
            description=self.description,
            loss_policy=_LOSSES[self.loss],
            takes=self.takes,
            examples=self.examples,
        )
