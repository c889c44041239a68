"""The model of a checkout, whose weights its environment has."""

from antiphon_server.memory.index.encoder import Encoder


def encoder() -> Encoder:
    """The model, loaded. Raises OSError if its weights are not there."""
    from antiphon_server.memory.index.minilm import MiniLm
    from antiphon_server.memory.index.model_files import model_files

    return MiniLm(*model_files())
