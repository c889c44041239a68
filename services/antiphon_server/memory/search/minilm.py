"""The model that search compares meanings with, once it is loaded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon_server.memory.index.model_files import missing_model, model_files, vectors_name

if TYPE_CHECKING:  # numpy comes with it
    from antiphon_server.memory.index.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Model:
    """A model, and the name of what makes its vectors."""

    encoder: "Encoder"
    name: str


def load_minilm() -> Model:
    """Load it, which takes half a second. Raises OSError, ImportError, RuntimeError."""
    from antiphon_server.memory.index.minilm import MiniLm

    if why := missing_model():
        raise OSError(why)
    return Model(MiniLm(*model_files()), vectors_name())
