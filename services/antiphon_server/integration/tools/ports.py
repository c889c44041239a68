"""What tools need from outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon_server.integration.ledger.model import Money
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Definition,
    Digest,
    KeptPart,
    Piece,
    Result,
    Rule,
    Said,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.integration.tools.questions import Pause, Question


class ScreensResults(Protocol):
    """Has filters look at what tools return before anybody works on it, or it is kept."""

    async def screened(self, caller: Caller, call_id: ToolCallId, result: Result) -> Result:
        """What is left of it. Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE."""
        ...

    async def asked(
        self, caller: Caller, call_id: ToolCallId, questions: Sequence[Question]
    ) -> Sequence[Question]:
        """What is left of what a call asks people. Raises as :meth:`screened`."""
        ...


class ScreensTools(Protocol):
    """Has filters look at what tools say of themselves before models are told."""

    async def described(
        self, workspace_id: str, definition: Definition, *, seen: bool = False
    ) -> None:
        """Raises DomainError CONTENT_BLOCKED where anything is found that does not just pass.

        Who has ``seen`` it is the person for whom a filter would hold it. Raises DomainError
        FILTER_UNAVAILABLE, too.
        """
        ...


class Source(Protocol):
    """Has tools: a connection, or what is built in."""

    @property
    def name(self) -> SourceName:
        """The first part of its tools' names."""
        ...

    @property
    def trusted(self) -> bool:
        """Whether its tools need no approval unless a rule says so: what is built in."""
        ...

    @property
    def leads_to(self) -> str:
        """Where its calls go: another source of its name is told from it by that."""
        ...

    @property
    def away(self) -> bool:
        """Whether it can't be reached now; ``definitions`` are those that were last known."""
        ...

    @property
    def why(self) -> Mapping[str, str]:
        """Its state while it is away, and why, as variables of CONNECTION_UNAVAILABLE."""
        ...

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until it may be back while it is away; None if that is not known."""
        ...

    def definitions(self) -> Mapping[ToolName, Definition]:
        """Its tools, by name; asks nobody."""
        ...

    async def call(self, call: Call) -> Result | Pause:
        """Call a tool, with arguments that its schema allows. Cancelling it closes what it uses.

        It pauses only where there are people to ask. Raises DomainError TOOL_NOT_FOUND,
        TOOL_FAILED, CONNECTION_UNAVAILABLE.
        """
        ...


class States(Protocol):
    """Keeps from everybody else what calls go on with."""

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and authenticate."""
        ...

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Decrypt; None if it was sealed elsewhere, or for another purpose."""
        ...


class Sources(Protocol):
    """Knows which sources a workspace may use."""

    async def of(
        self, workspace_id: str, names: Collection[SourceName] | None = None
    ) -> Mapping[SourceName, Source]:
        """The built-in ones, the installation's and the workspace's own.

        Of those of ``names`` (None: of all) that were never asked, the tools are waited for, for
        some seconds.
        """
        ...


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message: who said it, what matters of it, when, by RFC 3339, and in which turn, if any."""

    author: str
    excerpt: str
    time: str
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the best first; not ``is_whole`` while the conversation is still read."""

    messages: Sequence[FoundMessage]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Noted:
    """What a section of a whiteboard shall say; an empty ``text`` takes it away."""

    section: str
    text: str
    appends: bool = False


class Searches(Protocol):
    """Finds what was said in conversations."""

    async def search(self, conversation_id: str, query: str, limit: int) -> Found:
        """Of what prompts may hold the messages that fit best.

        Raises DomainError OVERLOADED, SERVICE_UNAVAILABLE.
        """
        ...


class Whiteboards(Protocol):
    """Knows the working notes of conversations."""

    async def write(
        self, conversation_id: str, turn_id: str, call_id: ToolCallId, note: Noted
    ) -> str:
        """Write what the model of a turn asks for, once for each call; returns what came of it.

        Raises DomainError LIMIT_EXCEEDED, ETAG_MISMATCH, CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...


class ResultStore(Protocol):
    """Keeps results that are longer than what events and models are given."""

    async def keep(self, caller: Caller, call_id: ToolCallId, parts: Sequence[KeptPart]) -> bool:
        """Keep a result; the workspace's oldest ones go, until there is room.

        Returns False, and keeps nothing, if it is larger than all the room there is, or if a later
        attempt of the turn has kept the call's: whoever asks has lost the turn by then.
        """
        ...

    async def read(
        self, conversation_id: str, call_id: ToolCallId, part: int, offset: int, length: int
    ) -> Piece:
        """Read bytes of a part. Raises DomainError NOT_FOUND."""
        ...

    async def erase(
        self, conversation_id: str, call_ids: Sequence[ToolCallId], turn_ids: Sequence[str]
    ) -> None:
        """Take away what is kept of calls, and what providers said of failed calls of turns.

        Returns when it is in no file any more, as :meth:`Database.scrub` says.
        """
        ...


class RuleStore(Protocol):
    """Keeps what workspaces say of tools."""

    async def all(self, workspace_id: str) -> Mapping[ToolName, Said]:
        """What a workspace says, by the tools of which it says something."""
        ...

    async def said(self, workspace_id: str, tool: ToolName) -> Said:
        """What it says of one tool."""
        ...

    async def set_rule(self, workspace_id: str, tool: ToolName, rule: Rule) -> None:
        """Keep whether it may be called; UNSPECIFIED forgets it."""
        ...

    async def set_price(self, workspace_id: str, tool: ToolName, price: Money | None) -> None:
        """Keep what a call costs; None forgets it."""
        ...


class PinStore(Protocol):
    """Keeps what tools were when workspaces took them."""

    async def pins(self, workspace_id: str) -> Mapping[ToolName, Digest]:
        """All of a workspace's."""
        ...

    async def digest(self, workspace_id: str, tool: ToolName) -> Digest | None:
        """That of one tool; None if it was not taken yet."""
        ...

    async def pinned(self, workspace_id: str, tool: ToolName) -> Definition | None:
        """What was kept of a tool; its schemas are spelled canonically."""
        ...

    async def pin(
        self, workspace_id: str, tools: Sequence[Definition]
    ) -> Mapping[ToolName, Digest]:
        """Keep those of which nothing is kept yet. Returns all that are kept then."""
        ...

    async def approve(self, workspace_id: str, tool: Definition) -> None:
        """Keep what a tool is now, in place of what it was."""
        ...
