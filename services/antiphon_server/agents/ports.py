"""What an agent needs from outside."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from antiphon_server.dispatcher.handling import (
    Attendance,
    CallPaused,
    CallResult,
    LeftOut,
    Order,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    Turn,
    TurnId,
    Usage,
)
from antiphon_server.runtime.errors import DomainError, Reason


class Prompt(Protocol):
    """What a window makes for models of the same kind; the rules see only what is left out."""

    @property
    def omitted(self) -> int:
        """How many older messages did not fit."""
        ...

    @property
    def tools(self) -> Sequence[str]:
        """Names of tools that its model may ask for, or `source.*`."""
        ...


PromptT_co = TypeVar("PromptT_co", bound=Prompt, covariant=True)
PromptT_contra = TypeVar("PromptT_contra", bound=Prompt, contravariant=True)


class Window(Protocol[PromptT_co]):
    """Knows what a model should see of a conversation."""

    async def prompt(self, turn: Turn, max_tokens: int, without: set[TurnId]) -> PromptT_co:
        """Return the turn's message, which comes last, and before it the newest that fit.

        Those of the turns in ``without`` are left out, but use up the budget. Raises
        DomainError NOT_FOUND if the turn's message is not in the context.
        """
        ...


@dataclass(frozen=True, slots=True)
class AskedTool:
    """What a model asks for. ``arguments`` should be a JSON object, and may be anything."""

    call_id: ToolCallId
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class PlannedTool:
    """A tool that a model is told of; ``schema`` is that of its arguments, JSON Schema as JSON.

    ``digest`` is of what it is and where its calls go; b"" of a server that does not say.
    """

    name: str
    description: str
    schema: str
    asks: bool
    repeatable: bool
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class ToolPlan:
    """What a model is told of. ``away`` are the tools that it is not, as a conversation names them
    (`source.*` for all of one), and for which error.
    """

    tools: Sequence[PlannedTool] = ()
    away: Mapping[str, DomainError] = field(default_factory=dict)

    def named(self, name: str) -> PlannedTool | None:
        """The tool of that name, if the model is told of it."""
        return next((it for it in self.tools if it.name == name), None)

    def refusal(self, name: str) -> DomainError:
        """Why one that the model is not told of can't be called."""
        of_source = f"{name.partition('.')[0]}.*"
        away = self.away.get(name) or self.away.get(of_source)
        return away or DomainError(Reason.TOOL_NOT_FOUND, tool=name)


@dataclass(frozen=True, slots=True)
class Round:
    """What a model said, the calls it asked for behind that, and what came of each."""

    text: str
    calls: Sequence[ToolCall]
    ends: Sequence[ToolCallFinished]


class Tools(Protocol):
    """Knows and calls tools."""

    async def plan(self, turn: Turn, names: Sequence[str]) -> ToolPlan:
        """Those of ``names`` that the turn's model may be told of. Raises DomainError."""
        ...

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        """Make a call, or go on with one that has paused; cancelling it closes what it uses.

        Raises DomainError TOOL_*.
        """
        ...


class Reply(Protocol):
    """A step of a model's answer.

    ``text`` is the next piece (may be empty); ``status`` says what is going on, and
    ``fraction`` how much of it is done; ``usage`` comes with the last step. When a model is asked,
    ``left_out`` says without what, of the prompt's messages too, and which models are not.
    ``call`` is a call of a tool that the model asks for.
    """

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def fraction(self) -> float | None: ...  # noqa: D102
    @property
    def usage(self) -> Usage | None: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def finish_reason(self) -> int: ...  # noqa: D102
    @property
    def output_limit(self) -> int: ...  # noqa: D102
    @property
    def left_out(self) -> LeftOut | None: ...  # noqa: D102
    @property
    def call(self) -> AskedTool | None: ...  # noqa: D102


class Models(Protocol[PromptT_contra]):
    """Asks models."""

    async def budget(self, order: Order) -> int:
        """How many tokens the prompt of an order may have. Raises DomainError MODEL_NOT_FOUND."""
        ...

    def generate(
        self,
        turn: Turn,
        prompt: PromptT_contra,
        tools: Sequence[PlannedTool] = (),
        rounds: Sequence[Round] = (),
    ) -> AsyncGenerator[Reply, None]:
        """Stream the answer, which goes on behind ``rounds``.

        Closing the iterator closes the provider's connection.

        Raises DomainError MODEL_*.
        """
        ...

    async def lost(self, turn: Turn, text_bytes: int) -> None:
        """Tell that the turn's newest answer is lost with its server, of which so much came."""
        ...
