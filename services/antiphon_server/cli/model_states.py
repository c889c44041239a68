"""How a model is, in words."""

from collections.abc import Iterator
from math import ceil

from antiphon.context.v1.message_pb2 import PartKind
from antiphon.integration.v1.model_pb2 import (
    BREAKER_STATE_HALF_OPEN,
    BREAKER_STATE_OPEN,
    Model,
    ModelFailure,
)
from antiphon_server.cli.encoding import local_time
from antiphon_server.cli.kinds import name_of


def state_of(model: Model) -> str:
    """Whether it is asked, and whether without being named."""
    notes = ["default"] if model.default else []
    if said := left_alone(model):
        notes.append(said)
    if model.missing:
        notes.append(f"can't be asked: {model.missing}")
    return ", ".join(notes) or "ready"


def left_alone(model: Model) -> str:
    """What is said of a model that is not asked for now; empty for the others."""
    since = local_time(model.breaker_since_time)
    if model.breaker_by_hand:
        return f"is not asked, since an operator said so ({since})"
    if model.breaker == BREAKER_STATE_OPEN:
        seconds = ceil(model.retry_after.ToTimedelta().total_seconds())
        return f"is not asked for {seconds} s, since it failed too often"
    if model.breaker == BREAKER_STATE_HALF_OPEN:
        return f"is tried by one call, since it failed too often ({since})"
    return ""


def takes(model: Model) -> str:
    """What it can be given."""
    kinds = [name_of(PartKind, "PART_KIND_", it) for it in model.accepts]
    return ", ".join([*kinds, "tools"] if model.takes_tools else kinds)


def context_of(model: Model) -> str:
    """How many tokens prompt and answer may have together."""
    return f"{model.context_tokens:,}" if model.context_tokens else "unknown"


def facts(model: Model) -> Iterator[tuple[str, str]]:
    """A table of all that is known of it but prices; its headings first."""
    yield ("MODEL", model.name)
    yield ("state", state_of(model))
    yield ("takes", takes(model))
    yield ("context", f"{context_of(model)} tokens")
    yield ("a prompt", f"at most {model.max_prompt_tokens:,} tokens")
    yield ("an answer", f"at most {model.max_output_tokens:,} tokens")
    if failed := last_failure(model):
        yield ("last failure", failed)
    if not model.prices:
        yield ("price", "unknown: ANTIPHON_MODELS may say it, budgets of money need it")


def last_failure(model: Model) -> str:
    """Why and when it failed last; operators are told what its provider said."""
    if not model.HasField("last_failure"):
        return ""
    failure = model.last_failure
    words = (failure.error_reason, local_time(failure.time), said_of(failure))
    return " · ".join(filter(None, words))


def said_of(failure: ModelFailure) -> str:
    """What the provider said of a failure, as far as the caller is told."""
    status = f"HTTP {failure.provider_status}" if failure.provider_status else ""
    return " · ".join(filter(None, (status, failure.provider_message)))
