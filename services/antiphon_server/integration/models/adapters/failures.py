"""What goes wrong with a model, as domain errors whose public part holds no provider's text."""

import logging
import os
from urllib.parse import urlsplit

import msgspec

from antiphon_server.integration.models.adapters.missing import secrets_of
from antiphon_server.integration.models.model import NOTHING_SAID, ModelFailed, ProviderSaid
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.retry_after import seconds_of

log = logging.getLogger(__name__)
MAX_RETRY_AFTER_S = 60.0
LONGEST_WORDS = 500
# How endpoints say that a prompt is too long: llama.cpp, OpenAI, vLLM, Anthropic.
_TOO_LONG = (
    "exceed_context_size_error",
    "context_length_exceeded",
    "maximum context length",
    "prompt is too long",
)


class _Error(msgspec.Struct):
    message: str = ""


class _Body(msgspec.Struct):
    error: _Error | str | None = None
    message: str = ""


_decode = msgspec.json.Decoder(_Body).decode


def report(settings: ModelSettings, error: Exception | str) -> ProviderSaid:
    """Tell the log, and with it the operator alone, which endpoint it was and what the system said.

    Of an address no more than that: a name, a password or a parameter in it may be a secret. The
    same is returned for the ledger.
    """
    parts = urlsplit(settings.base_url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    why = _of_the_system(error)
    log.warning("the model %s at %s does not answer: %s", settings.name, where, why[:LONGEST_WORDS])
    return ProviderSaid(0, f"{where}: {why}"[:LONGEST_WORDS])


def _of_the_system(error: Exception | str) -> str:
    if isinstance(error, ValueError):  # whose words may repeat all of the address
        return "it can't be used as an address"
    number = error.errno if isinstance(error, OSError) else None
    if number and number > 0:  # those of names that are not found are below
        return os.strerror(number)
    return str(error) or type(error).__name__


def unavailable(
    model: str,
    retry_after: float | None = None,
    said: ProviderSaid | None = None,
    *,
    begun: bool = False,
) -> DomainError:
    """The provider can't be reached or says that it failed; seconds to wait, if it said.

    ``begun`` if it had begun to answer.
    """
    if said is None:
        return DomainError(Reason.MODEL_UNAVAILABLE, model=model, retry_after=retry_after)
    failed = ModelFailed(Reason.MODEL_UNAVAILABLE, said, model=model, retry_after=retry_after)
    failed.begun = begun
    return failed


def silent(model: str, timeout_s: float, said: ProviderSaid = NOTHING_SAID) -> DomainError:
    """The provider sent nothing for too long."""
    timeout_ms = round(timeout_s * 1000)
    return ModelFailed(Reason.MODEL_TIMEOUT, said, model=model, timeout_ms=timeout_ms)


def garbled(model: str, said: ProviderSaid = NOTHING_SAID) -> DomainError:
    """The provider's answer can't be understood or broke off."""
    return ModelFailed(Reason.MODEL_PROTOCOL, said, model=model)


def refused(model: str, said: ProviderSaid) -> DomainError:
    """The provider does not do what it was asked."""
    return ModelFailed(Reason.MODEL_REFUSED, said, model=model, http_status=said.status)


def not_runnable(model: str, install: str) -> DomainError:
    """The model can't be run here; ``install`` is what to install."""
    return DomainError(Reason.MODEL_NOT_FOUND, model=model, install=install)


def of_status(
    settings: ModelSettings, status: int, retry_after: str = "", body: str = ""
) -> DomainError:
    """What an HTTP status other than 200 means; ``retry_after`` is the header."""
    model, said = settings.name, ProviderSaid(status, words_of(settings, body))
    if status == 413 or (status == 400 and any(words in body for words in _TOO_LONG)):
        return ModelFailed(Reason.MODEL_PROMPT_TOO_LONG, said, model=model)
    if status in (408, 429) or status >= 500:
        return unavailable(model, _seconds(retry_after), said)
    if status >= 400:
        return refused(model, said)
    return ModelFailed(Reason.MODEL_PROTOCOL, said, model=model)


def words_of(settings: ModelSettings, body: str) -> str:
    """What a failure's body says, in one line, not too long and without the model's key."""
    for secret in secrets_of(settings):
        body = body.replace(secret, "[key]")
    seen = "".join([char if char.isprintable() else " " for char in _message(body)])
    return " ".join(seen.split())[:LONGEST_WORDS]


def _message(body: str) -> str:
    """The sentence in a body as most providers send them; else all of it."""
    try:
        found = _decode(body)
    except msgspec.MsgspecError:
        return body
    error = found.error.message if isinstance(found.error, _Error) else found.error
    return error or found.message or body


def _seconds(header: str) -> float | None:
    """What Retry-After says, at most a minute."""
    seconds = seconds_of(header)
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER_S)
