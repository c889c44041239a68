"""The typed settings of a server: read once, handed down in slices."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from antiphon_server.integration.settings import ModelSettings, model_named

DEFAULT_PORT = 7450
DEFAULT_ADMIN_PORT = 7451
DEFAULT_MODEL = "local/smollm2-135m"


def default_data_dir() -> Path:
    """Where data is kept unless told otherwise (XDG Base Directory)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "antiphon"


class Settings(BaseSettings):
    """What `antiphon up` can be told, by options or by variables ``ANTIPHON_*``."""

    model_config = SettingsConfigDict(env_prefix="ANTIPHON_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    admin_port: int | None = Field(default=DEFAULT_ADMIN_PORT, ge=0, le=65535)
    data_dir: Path = Field(default_factory=default_data_dir)
    model: str = DEFAULT_MODEL
    models: tuple[ModelSettings, ...] = ()
    reflection: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    log_file: Path | None = None
    otlp_endpoint: str = ""
    retention_days: int = Field(default=0, ge=0)
    drain_grace_s: float = Field(default=5.0, ge=0, le=300)

    @model_validator(mode="after")
    def _default_model_is_known(self) -> Self:
        self.all_models()
        return self

    def all_models(self) -> tuple[ModelSettings, ...]:
        """Return the configured models, the default first."""
        named = {model.name: model for model in self.models}
        default = named.pop(self.model, None) or model_named(self.model)
        return (default, *named.values())
