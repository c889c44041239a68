"""Weights of models that packages carry: where they are once they are here."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file of weights.

    Attributes:
        inside: Its path in the folder of the package's module.
        place: Its path in ``share/antiphon`` of the environment, once it is fetched.
        sha256: What it has to contain, as hexadecimal digits.
    """

    inside: str
    place: str
    sha256: str

    @property
    def fetched(self) -> Path:
        """Where `antiphon models fetch` puts it: in the environment, for all its users."""
        return Path(sys.prefix, "share", "antiphon", self.place)


@dataclass(frozen=True, slots=True)
class Carried:
    """The weights of a model, and the package that carries them.

    Attributes:
        model: Its name for people.
        package: The package's name and version, as an installer takes them.
        module: The folder that the package's files are in.
        engines: The modules that run the model, which an extra brings.
        said: How large what is fetched is, and its licence.
    """

    model: str
    package: str
    module: str
    files: Sequence[CarriedFile]
    engines: Sequence[str]
    said: str

    @property
    def runs_here(self) -> bool:
        """Whether what runs the model is installed."""
        return all(find_spec(each) is not None for each in self.engines)

    @property
    def paths(self) -> list[Path]:
        """Where the files are: in the package if that is installed, else where they are fetched to.

        Whether they are there is for the caller to see. None of the package's code is run.
        """
        spec = find_spec(self.module)
        if spec is None or spec.origin is None:
            return [each.fetched for each in self.files]
        return [Path(spec.origin).parent / each.inside for each in self.files]
