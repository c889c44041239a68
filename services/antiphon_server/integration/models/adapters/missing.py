"""What a model lacks before it can be asked: found out without asking or importing anything."""

import os
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.integration.models.settings import ModelSettings

EXTRA = "antiphon[providers]"
# What the providers' own libraries look for, if no key is given.
_KEY_VARIABLES = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}


def secrets_of(settings: ModelSettings) -> list[str]:
    """The keys that the model may be asked with."""
    held = [os.environ.get(variable, "") for variable in _variables(settings)]
    return [secret for secret in (settings.secret, *held) if secret]


def _variables(settings: ModelSettings) -> tuple[str, ...]:
    """Where the key is looked for, if it is not given."""
    if settings.api_key_env:
        return (settings.api_key_env,)
    return _KEY_VARIABLES.get(settings.provider, ()) if settings.kind == "provider" else ()


def missing_key(settings: ModelSettings) -> str:
    """The variable that should hold the key, and does not; or nothing."""
    if settings.secret:
        return ""
    variables = _variables(settings)
    if not variables or any(os.environ.get(variable) for variable in variables):
        return ""
    return f"the variable {' or '.join(variables)} holds no key"


def missing_provider(settings: ModelSettings) -> str:
    """Whether pydantic-ai is not installed, or knows no such provider."""
    spec = find_spec("pydantic_ai")
    if spec is None:
        return f"{settings.provider} is none of those built in; for others install {EXTRA}"
    folders = [Path(folder) / "providers" for folder in spec.submodule_search_locations or ()]
    whole = settings.provider.replace("-", "_")
    names = {whole, whole.partition("_")[0]}  # "google-gla" is in google.py
    if any((folder / f"{name}.py").exists() for folder in folders for name in names):
        return ""
    return f"no provider {settings.provider} is known"
