"""Where Envoy's program is: in its wheel, or on the path."""

import shutil
from importlib.util import find_spec
from pathlib import Path


class EnvoyMissing(Exception):
    """Neither the extra that brings Envoy is installed, nor is it on the path."""

    def __init__(self) -> None:
        super().__init__("there is no Envoy here: install antiphon[web] or antiphon[mesh]")


def envoy_binary() -> Path:
    """The program. Raises EnvoyMissing."""
    spec = find_spec("envoy")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "_bin" / "envoy"
        if bundled.is_file():
            return bundled
    found = shutil.which("envoy")
    if found is None:
        raise EnvoyMissing
    return Path(found)
