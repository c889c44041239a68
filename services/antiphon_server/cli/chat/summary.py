"""One line about an answer."""

from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_EXPIRED,
    TURN_STATE_FAILED,
)
from antiphon.events.v1.route_pb2 import ROUTE_OUTCOME_DEFAULT, RouteDecision
from antiphon.integration.v1.model_pb2 import SkippedModel, Usage
from antiphon_client import TurnResult
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.routes.words import why

_ENDINGS = {
    TURN_STATE_CANCELLED: "stopped",
    TURN_STATE_FAILED: "broken off",
    TURN_STATE_EXPIRED: "out of time",
}
_WHY_NOT = {
    "MODEL_NOT_FOUND": "can't be run there",
    "MODEL_UNAVAILABLE": "is not available",
    "MODEL_TIMEOUT": "took too long",
    "MODEL_PROTOCOL": "broke off",
    "MODEL_REFUSED": "refused",
    "MODEL_PROMPT_TOO_LONG": "has no room for this",
    "OVERLOADED": "has too much to do",
    "BUDGET_EXCEEDED": "is beyond a budget",
    "PRICE_UNKNOWN": "has no known price, which a budget needs",
}


def summary(result: TurnResult, seconds: float) -> str:
    """One line about an answer: model, tokens, cost, time."""
    usage = result.usage
    facts = [
        _ending(result),
        _routed(result.route),
        result.model or None,
        tokens(usage) if usage.output_tokens else None,
        _left_out(result.omitted_messages) or None,
        _described(result.described_parts) or None,
        _withheld(result.withheld_tools) or None,
        _untold(result.omitted_texts) or None,
        *map(not_by, result.skipped_models),
        _money(usage.cost.micros, usage.cost.currency) if usage.HasField("cost") else None,
        f"{seconds:.1f} s",
    ]
    return " · ".join(fact for fact in facts if fact)


def by_another(result: TurnResult) -> str:
    """Which model has answered, and why none of those before it."""
    return " · ".join([in_a_line(result.model), *map(not_by, result.skipped_models)])


def tokens(usage: Usage) -> str:
    """What was read and what was said; of both, what has a price of its own."""
    read = {
        "cached": usage.cached_tokens,
        "put into the cache": usage.cache_write_tokens,
        "audio": usage.audio_input_tokens,
    }
    said = {"reasoning": usage.reasoning_tokens, "audio": usage.audio_output_tokens}
    return f"{_counted(usage.input_tokens, read)} + {_counted(usage.output_tokens, said)} tokens"


def _counted(count: int, kinds: dict[str, int]) -> str:
    told = ", ".join(f"{part} {kind}" for kind, part in kinds.items() if part)
    return f"{count} ({told})" if told else str(count)


def _left_out(messages: int) -> str:
    """That so many older messages were left out; nothing if none were."""
    return f"{messages:,} older message{'s'[: messages > 1]} left out" if messages else ""


def _described(parts: int) -> str:
    """That the model was told of so many pictures, recordings and files in words alone."""
    if not parts:
        return ""
    return f"{parts:,} attachment{'s'[: parts > 1]} described to the model in words"


def _withheld(tools: int) -> str:
    """That the model was not told of so many tools."""
    return f"without {tools:,} tool{'s'[: tools > 1]}, which the model does not take" * bool(tools)


def _untold(texts: int) -> str:
    """That the model had no room for so many texts beside the messages."""
    what = "whiteboard or memories" if texts == 1 else "whiteboard and memories"
    return f"without {what}, for which the model has no room" * bool(texts)


def not_by(it: SkippedModel) -> str:
    """Why the answer is not of that model."""
    name = in_a_line(it.model)
    if it.lacks:
        return f"{name} takes no {in_a_line(it.lacks)}"
    return f"{name} {_WHY_NOT.get(it.error_reason, in_a_line(it.error_reason))}"


def _routed(route: RouteDecision | None) -> str | None:
    """Who was found by a rule, and why; nothing where none decided."""
    if route is None or route.outcome == ROUTE_OUTCOME_DEFAULT:
        return None
    return in_a_line(f"{route.handler}: {why(route)}")


def _ending(result: TurnResult) -> str | None:
    if result.output_limit:
        return f"cut off at {result.output_limit:,} tokens, the most asked for: /continue goes on"
    if result.cut:
        tokens = result.usage.output_tokens
        return f"cut off at the model's limit ({tokens:,} tokens): /continue goes on"
    return _ENDINGS.get(result.state)


def _money(micros: int, currency: str) -> str:
    amount = f"{micros / 1_000_000:.6f}".rstrip("0").rstrip(".")
    return f"${amount}" if currency == "USD" else f"{amount} {currency}"
