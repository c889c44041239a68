"""What a handler works with, wherever it stands: all that it may know of the dispatcher."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, Protocol, TypeAlias, TypeVar

from antiphon_server.dispatcher.handoff_model import HandoffOrder, HandoffRole, Otherwise
from antiphon_server.dispatcher.model import (
    COUNTED,
    Answer,
    AnswerAction,
    AskedCall,
    CallOutcome,
    CallPaused,
    CallResult,
    CallStep,
    Child,
    ChildEnd,
    HandlerInfo,
    LeftOut,
    LossPolicy,
    Order,
    PastCall,
    Question,
    QuestionId,
    Resumed,
    SkippedModel,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    ToolCallProposed,
    ToolCallStarted,
    Turn,
    TurnAssigned,
    TurnId,
    Usage,
)
from antiphon_server.runtime.errors import DomainError

__all__ = [
    "COUNTED",
    "Answer",
    "AnswerAction",
    "AskedCall",
    "Attendance",
    "AttemptLost",
    "CallOutcome",
    "CallPaused",
    "CallResult",
    "CallStep",
    "Child",
    "ChildEnd",
    "HandedOff",
    "Handler",
    "HandlerInfo",
    "HandoffOrder",
    "HandoffRole",
    "LeftOut",
    "LossPolicy",
    "Order",
    "Otherwise",
    "Outputs",
    "PastCall",
    "Question",
    "QuestionId",
    "Resumed",
    "RunCall",
    "SkippedModel",
    "ToolCall",
    "ToolCallFinished",
    "ToolCallId",
    "ToolCallProposed",
    "ToolCallStarted",
    "Turn",
    "TurnAssigned",
    "TurnId",
    "Usage",
    "Vanished",
    "Work",
    "Workers",
]

T = TypeVar("T")


class Vanished(DomainError):
    """Nobody serves the handler any more: its fallback goes on, or the turn ends by this error."""


class AttemptLost(Exception):
    """Who worked on the turn is gone: its next attempt goes on behind what is committed."""


class HandedOff(Exception):
    """The handler is done: people shall go on with the turn."""

    def __init__(self, order: HandoffOrder) -> None:
        super().__init__(order.reason)
        self.order = order


class Attendance(Protocol):
    """The people of the conversation, whom a call's tool may ask."""

    @property
    def resumed(self) -> Resumed:
        """What the call goes on with, if it had paused."""
        ...

    async def ask(self, question: Question) -> Answer:
        """Ask while the call is held open; it is put away after five minutes."""
        ...

    async def until(self, done: Awaitable[T]) -> T:
        """Wait for what is not done here; the turn rests meanwhile."""
        ...


RunCall: TypeAlias = Callable[[ToolCall, Attendance], Awaitable[CallResult | CallPaused]]
"""Makes a call, or goes on with it. What it raises is that call's end.

One that pauses is run again when its questions are answered; nothing of it runs meanwhile.
"""


class Outputs(Protocol):
    """What a worker says of a turn: numbered steps, each of which is stored once."""

    @property
    def assigned(self) -> TurnAssigned | None:
        """The worker that had the turn last, as the log says."""
        ...

    @property
    def stored(self) -> int:
        """The number of the newest step that is stored; all before it are."""
        ...

    @property
    def said_bytes(self) -> int:
        """Bytes of UTF-8 of the answer so far."""
        ...

    async def masked(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts of one thing beside the answer, as people may see them."""
        ...

    def on_stored(self, told: Callable[[int], None]) -> None:
        """Have ``told`` called with :attr:`stored` whenever it has grown."""
        ...

    def on_end(self, told: Callable[[bool], None]) -> None:
        """Have ``told`` called with whether the end is stored; if not, another server ends it."""
        ...

    async def assign(self, worker: TurnAssigned) -> None:
        """Commit that a worker has the turn in this attempt."""
        ...

    async def write(self, number: int, text: str) -> None:
        """Append to the answer; as :meth:`Work.write`."""
        ...

    async def progress(self, number: int, status: str, fraction: float | None) -> None:
        """Tell people what is going on; as :meth:`Work.progress`."""
        ...

    async def report(self, *steps: CallStep) -> None:
        """Commit steps of calls that the worker makes itself; they have their numbers.

        What it proposes stands behind all that it has said.
        """
        ...


class Work(Protocol):
    """A turn as its handler sees it."""

    @property
    def turn(self) -> Turn:
        """The turn, with its order."""
        ...

    @property
    def resumed_text(self) -> str:
        """What earlier attempts have delivered; the answer goes on behind it."""
        ...

    @property
    def past_calls(self) -> Sequence[PastCall]:
        """The calls of tools that earlier attempts have left, in their order."""
        ...

    @property
    def others(self) -> set[TurnId]:
        """Turns of the conversation that are not done, without this one."""
        ...

    @property
    def left_s(self) -> float:
        """How long it may work still: what has gone by while it rested is no part of its time."""
        ...

    async def write(self, text: str) -> None:
        """Append to the answer. Waits while too much is not committed yet."""
        ...

    async def call(self, asked: Sequence[AskedCall], run: RunCall) -> Sequence[ToolCallFinished]:
        """Make calls of tools side by side, each at most once; returns their ends in order.

        What is told, started and found is committed before the next step of it. Those that ask
        wait for a person, and the turn rests meanwhile. ``run`` makes one: what it raises is that
        call's end. Nothing may be written meanwhile.
        """
        ...

    async def progress(self, status: str, fraction: float | None = None) -> None:
        """Tell people what is going on."""
        ...

    def hand_off(self, order: HandoffOrder) -> NoReturn:
        """Let people go on with the turn. Raises HandedOff, which ends what the handler does."""
        ...

    async def delegate(self, child: Child) -> ChildEnd:
        """Have another handler work on something, as a turn beside this one; returns its end.

        One that was begun before, by its id, is not begun again. Raises DomainError
        HANDLER_NOT_FOUND, LIMIT_EXCEEDED.
        """
        ...

    @property
    def outputs(self) -> Outputs:
        """What the one says whom a handler has work on it elsewhere."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether a turn whose run is cancelled ends; else it goes on, perhaps elsewhere."""
        ...

    def leave_out(self, left_out: LeftOut) -> None:
        """Note what the answer is given without, and by which model it is not given."""
        ...

    def account(
        self, usage: Usage, model: str, finish_reason: int = 0, output_limit: int = 0
    ) -> None:
        """Note what the answer consumed, who gave it, why that one stopped, and at which limit."""
        ...


class HandlerSettings(Protocol):
    """What of a process's settings handlers read."""

    @property
    def most_steps(self) -> int:
        """How often a turn asks models at most."""
        ...


class Handler(Protocol):
    """Works on turns."""

    @property
    def info(self) -> HandlerInfo:
        """How it presents itself."""
        ...

    async def check(self, order: Order, workspace_id: str) -> None:
        """Raise DomainError if it can't work on that in the workspace; nothing is posted then.

        Asked only about a message that has other parts than text. The workspace is empty for a
        conversation that is to be made.
        """
        ...

    async def run(self, work: Work) -> None:
        """Write the answer; returning ends the turn, raising fails it.

        After AttemptLost it is called again, for the next attempt; after Vanished the fallback's
        is, if there is one; after HandedOff the turn waits for people. Being cancelled stops it: it
        must let go of what it uses and re-raise.
        """
        ...

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """Take note that an attempt's server is gone, and what it had delivered by then.

        Asked before the turn ends, or goes on, as often as that is tried. Raises DomainError: it
        is asked again for a while, and the turn ends all the same.
        """
        ...


class Workers(Protocol):
    """Handlers that are served elsewhere: who serves one may come and go."""

    def named(self, name: str) -> Handler:
        """The handler of turns that name it, whether or not anybody serves it."""
        ...

    async def knows(self, workspace_id: str, name: str) -> bool:
        """Whether somebody may serve that handler for turns of the workspace."""
        ...

    async def infos(self, workspace_id: str) -> Sequence[HandlerInfo]:
        """How those present themselves that a workspace may name."""
        ...
