"""The models that Generate can call, as configured."""

import os
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from antiphon_server.integration.model import ModelName, PartKind, Prices

Kind = Literal["openai", "local", "provider", "scripted"]

OPENAI_URL = "https://api.openai.com/v1"
# Providers that speak the OpenAI wire: name -> (base URL, variable of the key).
_OPENAI_WIRE = {
    "openai": (OPENAI_URL, "OPENAI_API_KEY"),
    "ollama": ("http://127.0.0.1:11434/v1", ""),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
}


class Script(BaseModel):
    """How a scripted model answers: ``deltas`` of count, ``gap_ms`` before each text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deltas: int = Field(default=20, ge=0)
    gap_ms: float = Field(default=0, ge=0)
    fail_after: int | None = Field(default=None, ge=0)
    fail_reason: str = "MODEL_UNAVAILABLE"


class ModelSettings(BaseModel):
    """One model.

    ``name`` is what callers say, ``provider/model``; ``model`` what the provider
    is told, by default the name's second part. The key is ``api_key``, or the
    environment variable ``api_key_env`` if that is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9._-]+/[^\s/][^\s]*$", max_length=128)
    kind: Kind
    model: str = ""
    base_url: str = ""
    api_key: SecretStr | None = None
    api_key_env: str = ""
    gguf: str = ""
    context_tokens: int = Field(default=0, ge=0)
    input_price_micros: int | None = Field(default=None, ge=0)
    output_price_micros: int | None = Field(default=None, ge=0)
    currency: str = "USD"
    accepts: frozenset[PartKind] = frozenset({"text"})
    first_byte_timeout_s: float = Field(default=60, gt=0)
    idle_timeout_s: float = Field(default=30, gt=0)
    script: Script = Script()

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        key = os.environ.get(values.get("api_key_env") or "", "")
        known = {"model": str(values.get("name", "")).partition("/")[2]}
        if key:
            known["api_key"] = key
        return {**known, **values}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.input_price_micros is None) != (self.output_price_micros is None):
            raise ValueError("give both prices or none")
        if self.kind == "openai" and not self.base_url:
            raise ValueError("a model on the OpenAI wire needs a base_url")
        return self

    @property
    def model_name(self) -> ModelName:
        """The name as callers say it."""
        return ModelName(self.name)

    @property
    def provider(self) -> str:
        """The name's first part."""
        return self.name.partition("/")[0]

    @property
    def prices(self) -> Prices | None:
        """The configured prices of a million tokens."""
        if self.input_price_micros is None or self.output_price_micros is None:
            return None
        return Prices(self.input_price_micros, self.output_price_micros, self.currency)

    @property
    def secret(self) -> str:
        """The key, or an empty string."""
        return self.api_key.get_secret_value() if self.api_key else ""


def model_named(name: str) -> ModelSettings:
    """Settings for a model by its name alone, e.g. ``local/smollm2-135m``, ``openai/gpt-4.1``.

    The provider before the slash decides how it is reached; keys come from the
    variables that the provider's own tools use. Raises ValueError for a name without one.
    """
    provider = name.partition("/")[0]
    if provider == "local":
        return ModelSettings(name=name, kind="local", context_tokens=8192)
    if provider == "scripted":
        return ModelSettings(name=name, kind="scripted")
    if provider in _OPENAI_WIRE:
        url, key = _OPENAI_WIRE[provider]
        return ModelSettings(name=name, kind="openai", base_url=url, api_key_env=key)
    return ModelSettings(name=name, kind="provider")
