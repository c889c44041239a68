"""How long a model's prompts and answers may be, by its context and by what is configured."""

from dataclasses import dataclass

from antiphon_server.integration.models.settings import ModelSettings

UNKNOWN_CONTEXT = 4_096
LONGEST_ANSWER = 4_096
"""Of those that nobody asked to be longer: more than that some models with much room refuse."""
_SHARE_OF_ANSWER = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server says of all models, in tokens; 0 leaves it to each model."""

    prompt: int = 0
    output: int = 0


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Room:
    """The most tokens of a prompt, by the estimate, and of its answer."""

    prompt: int
    output: int


def room_of(settings: ModelSettings, limits: Limits, context_tokens: int, asked: int = 0) -> Room:
    """The room for a prompt whose answer shall have ``asked`` tokens at most (0: not said).

    An answer has a quarter of the context, unless somebody said how much. A prompt has what the
    answer leaves, at least half of the context.
    """
    context = context_tokens or UNKNOWN_CONTEXT
    share = min(context // _SHARE_OF_ANSWER, LONGEST_ANSWER)
    output = asked or limits.output or settings.max_output_tokens or share
    if not asked and context_tokens:
        output = min(output, context // 2)
    left = context - min(output, context // 2)
    prompt = limits.prompt or settings.max_prompt_tokens or left
    return Room(min(prompt, left) if context_tokens else prompt, output)
