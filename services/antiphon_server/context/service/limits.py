"""What may be changed of a conversation, within the limits that creating one has."""

import re
from dataclasses import dataclass, replace

from antiphon_server.context.model.resources import Conversation, Labels, TurnPolicy
from antiphon_server.runtime.errors import invalid

MAX_TITLE = 256
MAX_MODELS = 8
MAX_MODEL = 128
MAX_INSTRUCTIONS_BYTES = 32768
MAX_OUTPUT_TOKENS = 1_000_000
MAX_LABEL_BYTES = 256
MAX_TOOLS = 64
_TOOL = re.compile(r"[a-z0-9_-]{1,32}\.([A-Za-z0-9_./-]{1,95}|\*)")


@dataclass(frozen=True, slots=True)
class ConversationPatch:
    """New values; None leaves a field as it is. Labels and language were checked at the port."""

    title: str | None = None
    turn_policy: TurnPolicy | None = None
    models: tuple[str, ...] | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    tools: tuple[str, ...] | None = None
    labels: Labels | None = None
    language: str | None = None

    def check(self) -> None:
        """Raises DomainError INVALID_ARGUMENT if a value is beyond its limit."""
        if self.title is not None and len(self.title) > MAX_TITLE:
            raise invalid("conversation.title", f"at most {MAX_TITLE} characters")
        if self.models is not None and (
            len(self.models) > MAX_MODELS
            or not all(1 <= len(model) <= MAX_MODEL for model in self.models)
        ):
            text = f"at most {MAX_MODELS} names of 1 to {MAX_MODEL} characters"
            raise invalid("conversation.models", text)
        if self.instructions and len(self.instructions.encode()) > MAX_INSTRUCTIONS_BYTES:
            raise invalid("conversation.instructions", f"at most {MAX_INSTRUCTIONS_BYTES} bytes")
        if not 0 <= (self.max_output_tokens or 0) <= MAX_OUTPUT_TOKENS:
            raise invalid("conversation.max_output_tokens", f"0 to {MAX_OUTPUT_TOKENS}")
        tools = self.tools or ()
        if len(tools) > MAX_TOOLS or not all(map(_TOOL.fullmatch, tools)):
            raise invalid("conversation.tools", f"at most {MAX_TOOLS}, as source.tool or source.*")

    def apply(self, conversation: Conversation) -> Conversation:
        """The conversation with the new values."""
        policy = conversation.turn_policy if self.turn_policy is None else self.turn_policy
        return replace(
            conversation,
            title=conversation.title if self.title is None else self.title,
            turn_policy=policy or TurnPolicy.QUEUE,
            models=conversation.models if self.models is None else self.models,
            instructions=(
                conversation.instructions if self.instructions is None else self.instructions
            ),
            max_output_tokens=(
                conversation.max_output_tokens
                if self.max_output_tokens is None
                else self.max_output_tokens
            ),
            tools=conversation.tools if self.tools is None else self.tools,
            labels=conversation.labels if self.labels is None else self.labels,
            language=conversation.language if self.language is None else self.language,
        )
