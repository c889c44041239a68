"""Models: what they are asked, and what comes of it."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, NewType, TypeAlias

from antiphon_server.integration.ledger.model import CallId, Payer, Usage
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.integration.models.widths import widest, widest_json, widest_quoted
from antiphon_server.runtime.errors import DomainError, Reason

ModelName = NewType("ModelName", str)
ToolCallId = NewType("ToolCallId", str)
Role: TypeAlias = Literal["user", "assistant", "system"]
PartKind: TypeAlias = Literal["text", "image", "audio", "file"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message: ``content`` is the text itself, or a URI."""

    kind: PartKind
    content: str


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """What a model is told of a tool; ``schema`` is that of its arguments, as JSON."""

    name: str
    description: str
    schema: str

    @property
    def told(self) -> str:
        """Its texts."""
        return "\n".join((self.name, self.description, self.schema))

    @property
    def text_bytes(self) -> int:
        """The length of its texts in UTF-8 bytes."""
        return sum(len(it.encode()) for it in (self.name, self.description, self.schema))

    @property
    def widest_bytes(self) -> int:
        """The most bytes that they have where a model reads them."""
        return widest(self.name) + widest_quoted(self.description) + widest_json(self.schema)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for; ``arguments`` should be a JSON object, and may be anything."""

    call_id: ToolCallId
    tool: str
    arguments: str


@dataclass(frozen=True)
class PromptMessage:
    """A message of a prompt: of an assistant with the ``calls`` that it asked for, or what came of
    the call ``answers``.
    """

    role: Role
    parts: tuple[Part, ...]
    calls: tuple[ToolCall, ...] = ()
    answers: ToolCallId | None = None

    @cached_property
    def text(self) -> str:
        """The text parts, joined."""
        return "\n".join(part.content for part in self.parts if part.kind == "text")

    @property
    def told(self) -> str:
        """:attr:`text`, and what it says of calls."""
        if not self.calls:
            return self.text
        asked = [part for call in self.calls for part in (call.tool, call.arguments)]
        return "\n".join(filter(None, (self.text, *asked)))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many tokens it has, by the names of those who counted them; added to."""
        return {}

    @cached_property
    def text_bytes(self) -> int:
        """The length of :attr:`text` and of the calls in UTF-8 bytes."""
        asked = sum(len(it.tool.encode()) + len(it.arguments.encode()) for it in self.calls)
        return len(self.text.encode()) + asked

    @cached_property
    def widest_bytes(self) -> int:
        """The most bytes that its texts, addresses, calls and ids have where a model reads them."""
        text = widest(self.text) if self.answers is None else widest_quoted(self.text)
        places = [widest(part.content) for part in self.parts if part.kind != "text"]
        asked = [widest(it.tool) + widest_json(it.arguments) + len(it.call_id) for it in self.calls]
        return text + sum(places) + sum(asked) + len(self.answers or "")

    @cached_property
    def kinds(self) -> frozenset[PartKind]:
        """The kinds of its parts."""
        return frozenset(part.kind for part in self.parts)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The input of a model; with ``temperature`` None it uses its default."""

    messages: tuple[PromptMessage, ...]
    max_output_tokens: int = 1024
    temperature: float | None = None
    tools: tuple[ToolDefinition, ...] = ()


class FinishReason(IntEnum):
    """Why a model stopped. Values are those of the contract."""

    UNSPECIFIED = 0
    STOP = 1
    LENGTH = 2
    CONTENT_FILTER = 3
    TOOL_CALLS = 4


@dataclass(frozen=True, slots=True)
class ModelEnd:
    """The last step of a model's answer; ``tokens`` is None if the provider reported none."""

    reason: FinishReason
    tokens: Tokens | None

    def limit_reached(self, max_output_tokens: int) -> int:
        """That limit if the answer was cut off at it; 0 if not, or if the model had no more room.

        Where nobody counted the tokens, the limit that the model was told is the likely one.
        """
        cut = self.reason is FinishReason.LENGTH
        ours = self.tokens is None or self.tokens.output >= max_output_tokens
        return max_output_tokens if cut and ours else 0


@dataclass(frozen=True, slots=True)
class ProviderSaid:
    """How a provider said that it failed, for operators alone: ``status`` is HTTP's, 0 if none.

    Of one that can't be reached ``words`` are where it was looked for and what the system said.
    """

    status: int = 0
    words: str = ""


NOTHING_SAID = ProviderSaid()


@dataclass(frozen=True, slots=True)
class Failure:
    """That a model failed, in microseconds since the epoch."""

    reason: Reason
    time_us: int
    said: ProviderSaid = NOTHING_SAID


class ModelFailed(DomainError):
    """A model's failure with what its provider said, which no client is told.

    ``begun`` says that the provider had begun to answer before it failed.
    """

    begun = False

    def __init__(
        self,
        reason: Reason,
        said: ProviderSaid,
        *,
        retry_after: float | None = None,
        **metadata: object,
    ) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.metadata = {key: str(value) for key, value in metadata.items()}
        self.said = said


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """``model`` has read so many tokens of its prompt's ``total_tokens``."""

    model: str
    read_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class Working:
    """A model works on what it can't tell yet: it thinks, or writes a call of a tool.

    ``thought_bytes`` are of what it has thought since the Working before, ``call_bytes`` of calls
    that are told again when they are whole.
    """

    thought_bytes: int = 0
    call_bytes: int = 0


WORKING = Working()

# A backend's step: text to append (never empty), a call, that it works, how far it has read, or
# the end.
ModelStep: TypeAlias = str | ToolCall | PromptProgress | Working | ModelEnd


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be generated, for whom; no models means the default.

    ``prompt`` is what is asked, with 0 for an answer as long as the model says; each model is given
    as much of ``history``, what was said before, as it can take, behind ``instructions``, and of
    the texts ``beside``, those first that matter most, in front of what is asked.
    """

    payer: Payer
    models: tuple[str, ...]
    prompt: Prompt
    history: tuple[PromptMessage, ...] = ()
    instructions: tuple[PromptMessage, ...] = ()
    beside: tuple[PromptMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A model that did not answer, and why; ``lacks`` is what it does not take, if that is why."""

    model: ModelName
    reason: Reason
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A model is being asked now; ``retry_of`` names why the attempt before failed.

    It is asked without the ``omitted`` oldest messages and ``omitted_texts`` that stand beside
    them, and told of ``described`` parts in words and not of ``withheld`` tools, instead of those
    that were ``skipped``.
    """

    call_id: CallId
    model: ModelName
    retry_of: str
    omitted: int = 0
    described: int = 0
    withheld: int = 0
    skipped: tuple[Skipped, ...] = ()
    omitted_texts: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer of ``model`` is complete; ``usage`` is the sum over all attempts.

    ``output_limit`` is the limit of tokens that cut it off, if that was not the model's own.
    """

    model: ModelName
    reason: FinishReason
    usage: Usage
    output_limit: int = 0


# A step of a generation: text to append, or what else happened.
Step: TypeAlias = str | ToolCall | AttemptStarted | PromptProgress | Finished
