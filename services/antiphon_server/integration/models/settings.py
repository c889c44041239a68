"""The models that Generate can call, as configured."""

import os
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from antiphon_server.integration.models.model import ModelName, PartKind
from antiphon_server.integration.models.price_settings import (
    NotNegative,
    RateSettings,
    TierSettings,
    configured_prices,
)
from antiphon_server.integration.models.pricing import Prices, Rates
from antiphon_server.runtime.concurrency.bulkhead import Bounds
from antiphon_server.runtime.configuration import Secret, WrongSetting, configured

Positive = Annotated[float, Meta(gt=0)]
SMALL_MODEL = "local/smollm2-135m"
"""The one that comes as a package."""
Kind = Literal["openai", "local", "provider", "scripted"]

_CALLS, _LOCAL_CALLS, _WAIT_S = 500, 4, 10.0

_FREE = Prices(Rates(0, 0))
_CARRIED: dict[Kind, frozenset[PartKind]] = {
    "openai": frozenset({"text", "image"}),
    "local": frozenset({"text"}),
    "provider": frozenset({"text"}),
    "scripted": frozenset({"text", "image", "audio", "file"}),
}
"""What gets to a model of each kind."""
_FREE_KINDS = frozenset({"local", "scripted"})
CURRENCY = r"^[A-Z]{3}\Z"
"""A code of ISO 4217."""
_NAME = r"^[a-z0-9._-]+/[^\s/][^\s]*$"
OPENAI_URL = "https://api.openai.com/v1"
# Providers that speak the OpenAI wire: name -> (base URL, variable of the key).
_OPENAI_WIRE = {
    "openai": (OPENAI_URL, "OPENAI_API_KEY"),
    "ollama": ("http://127.0.0.1:11434/v1", ""),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
}

_PUBLIC_URLS = frozenset(url for url, key in _OPENAI_WIRE.values() if key)

# It reads some hundred tokens a second, and what it says grows no better with its length.
_SMALL = {"context_tokens": 8192, "max_prompt_tokens": 3000, "max_output_tokens": 512}


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a tool that a scripted model asks for; ``arguments`` are JSON."""

    tool: str
    arguments: str = "{}"


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scripted model answers: ``deltas`` of count, ``gap_ms`` before each text.

    ``answers`` are what echo says to these questions, ``calls`` what it asks for instead.
    """

    deltas: NotNegative = 20
    gap_ms: Annotated[float, Meta(ge=0)] = 0
    fail_after: NotNegative | None = None
    fail_reason: str = "MODEL_UNAVAILABLE"
    answers: dict[str, str] = {}
    calls: dict[str, list[ScriptedCall]] = {}


class ModelSettings(RateSettings, frozen=True, forbid_unknown_fields=True):
    """The configuration of one model.

    ``name`` is the public name, ``provider/model``. ``model`` is the provider's own name for it,
    by default the second part of ``name``. The key is ``api_key``, or the value of the environment
    variable named by ``api_key_env``. Of ``context_tokens``, prompts and
    answers 0 means that nothing is known or said. ``long_context`` are the prices of calls with
    longer prompts.
    """

    name: Annotated[str, Meta(pattern=_NAME, max_length=128)]
    kind: Kind
    model: str = ""
    base_url: str = ""
    api_key: Secret | None = None
    api_key_env: str = ""
    gguf: str = ""
    context_tokens: NotNegative = 0
    max_prompt_tokens: NotNegative = 0
    max_output_tokens: NotNegative = 0
    long_context: tuple[TierSettings, ...] = ()
    currency: Annotated[str, Meta(pattern=CURRENCY)] = "USD"
    accepts: frozenset[PartKind] = frozenset({"text"})
    tools: bool = True
    first_byte_timeout_s: Positive = 60.0
    idle_timeout_s: Positive = 30.0
    slow_s: Annotated[float, Meta(ge=0)] | None = None
    max_calls: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    max_waiting: Annotated[int, Meta(ge=0, le=10_000)] = 250
    max_wait_s: Annotated[float, Meta(ge=0, le=600)] | None = None
    script: Script = Script()

    def __post_init__(self) -> None:
        """Fill in what follows from the rest. Raises ValueError for what makes no sense."""
        if not self.model:
            force_setattr(self, "model", self.name.partition("/")[2])
        key = os.environ.get(self.api_key_env) if self.api_key_env else None
        if key and self.api_key is None:
            force_setattr(self, "api_key", Secret(key))
        self._configured()
        if self.kind == "openai" and not self.base_url:
            raise ValueError("a model on the OpenAI wire needs a base_url")
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ValueError("base_url: write http:// or https:// before the address")
        _check_abilities(self.kind, self.accepts)

    @property
    def model_name(self) -> ModelName:
        """The public name."""
        return ModelName(self.name)

    @property
    def provider(self) -> str:
        """The first part of the name."""
        return self.name.partition("/")[0]

    @property
    def slow_after_s(self) -> float:
        """Seconds without a sign of work after which a call counts as slow; 0 if none does.

        One may be silent for as long as it says; what runs here reads slowly on a busy machine.
        """
        if self.slow_s is None:
            return 0.0 if self.kind == "local" else self.first_byte_timeout_s
        return self.slow_s

    @property
    def places(self) -> Bounds:
        """How many calls are made at once, and how many wait for how long.

        Half of the turns that a server runs at once, and a quarter: one model that hangs leaves
        others the rest. What runs here writes a few answers at once, for which others wait.
        """
        here = self.kind == "local"
        calls = self.max_calls or (_LOCAL_CALLS if here else _CALLS)
        usual_s = self.first_byte_timeout_s if here else _WAIT_S
        wait_s = usual_s if self.max_wait_s is None else self.max_wait_s
        return Bounds(calls, self.max_waiting, wait_s)

    @property
    def is_public(self) -> bool:
        """Whether it is at a provider's own address, so that others may know of it."""
        return self.kind == "provider" or self.base_url in _PUBLIC_URLS

    @property
    def prices(self) -> Prices | None:
        """The prices per million tokens, as configured; what runs here is free unless told."""
        return self._configured() or (_FREE if self.kind in _FREE_KINDS else None)

    def _configured(self) -> Prices | None:
        return configured_prices(self.rates, self.long_context, self.currency)

    @property
    def secret(self) -> str:
        """The key, or an empty string."""
        return self.api_key.reveal() if self.api_key else ""


def _check_abilities(kind: Kind, accepts: frozenset[PartKind]) -> None:
    if "text" not in accepts:
        raise ValueError("accepts: every model takes text")
    if beyond := accepts - _CARRIED[kind]:
        carried = " and ".join(sorted(_CARRIED[kind], reverse=True))
        pictures = beyond <= _CARRIED["openai"]
        instead = ', or describe it as one of kind "openai" with its base_url' if pictures else ""
        raise ValueError(
            f"accepts: no {min(beyond)} gets to a model of the kind {kind}, but {carried}: "
            f"leave the rest out{instead}"
        )


def model_named(name: str) -> ModelSettings:
    """Settings for a model by its name alone, e.g. ``local/smollm2-135m``, ``openai/gpt-4.1``.

    The provider before the slash decides how it is reached; keys come from the
    variables that the provider's own tools use. Raises ValueError for a name without one.
    """
    provider = name.partition("/")[0]
    found: dict[str, Any] = {"name": name, "kind": "provider"}
    if name == SMALL_MODEL:
        found |= {"kind": "local", **_SMALL}
    elif provider == "local":
        raise WrongSetting(
            f"model: {name!r} is not known by its name alone: {SMALL_MODEL} is,"
            " and models describes others, each with its file (gguf)"
        )
    elif provider == "scripted":
        found |= {"kind": "scripted"}
    elif provider in _OPENAI_WIRE:
        url, key = _OPENAI_WIRE[provider]
        found |= {"kind": "openai", "base_url": url, "api_key_env": key}
    try:
        return configured(found, ModelSettings)
    except WrongSetting as error:
        raise WrongSetting(f"model: {name!r} is no name; write provider/model") from error
