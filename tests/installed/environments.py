"""Wheels of this tree, and environments outside it in which nothing else is installed."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.conftest import Home
from tests.e2e.server import ServerProcess
from tests.proofs.bench.processes import ROOT, environment

CLIENT = ROOT / "clients" / "python"
PROBE = Path(__file__).with_name("probe.py")
LIMIT_S = 600.0  # packages may come over a slow line


def described(project: Path) -> dict[str, Any]:
    """A project's pyproject.toml."""
    return tomllib.loads((project / "pyproject.toml").read_text())


def extras() -> list[str]:
    """Those of the server's package."""
    return sorted(described(ROOT)["project"]["optional-dependencies"])


def build(out: Path, project: Path = ROOT) -> Path:
    """The project's wheel, made in a folder."""
    uv("build", "--wheel", "--quiet", "--out-dir", str(out), str(project), cwd=out)
    (wheel,) = out.glob("*.whl")
    return wheel


@dataclass(frozen=True, slots=True)
class Installed:
    """A new environment, and what was installed in it."""

    folder: Path

    @classmethod
    def empty(cls, folder: Path) -> "Installed":
        """With nothing in it."""
        folder.mkdir(parents=True)
        uv("venv", "--quiet", "--python", sys.executable, str(folder / "env"), cwd=folder)
        return cls(folder / "env")

    def have(self, wheel: Path, wanted: str = "") -> "Installed":
        """A wheel with the wanted extras, in the versions that are pinned, and nothing else.

        Run elsewhere, so that uv reads nothing of this tree: neither its pins, which are
        told, nor its overrides, which nobody has who installs a wheel.
        """
        shutil.rmtree(self.folder / "share", ignore_errors=True)
        pins = self.elsewhere / "pins.txt"
        pins.write_text("\n".join(described(ROOT)["tool"]["uv"]["constraint-dependencies"]))
        name = wheel.name.partition("-")[0].replace("_", "-")
        requirement = f"{name}{f'[{wanted}]' if wanted else ''} @ {wheel.as_uri()}"
        told = ("--exact", "--constraint", str(pins), "--only-binary", ":all:")
        self.install(*told, requirement)
        return self

    def install(self, *what: str) -> None:
        """Install more."""
        uv(
            "pip",
            "install",
            "--quiet",
            "--python",
            self.program("python"),
            *what,
            cwd=self.elsewhere,
        )

    def program(self, name: str) -> str:
        """One of the environment's programs."""
        return str(self.folder / "bin" / name)

    @property
    def elsewhere(self) -> Path:
        """A folder in which nothing of the tree is found."""
        return self.folder.parent

    def lacking(self, *modules: str, distribution: str = "antiphon") -> dict[str, str]:
        """The imports of all modules, or some, that lead nowhere, and why; see ``probe``."""
        command = (self.program("python"), str(PROBE), distribution, *modules)
        printed = subprocess.run(
            command,
            cwd=self.elsewhere,
            env=environment(),
            stdout=subprocess.PIPE,
            timeout=LIMIT_S,
            check=True,
        ).stdout
        found: dict[str, str] = json.loads(printed)
        return found

    def antiphon(
        self, home: Path, *arguments: str, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``antiphon`` to its end, for a user with this home."""
        return subprocess.run(
            [self.program("antiphon"), *arguments],
            cwd=self.elsewhere,
            env=environment({**Home(home).environment, **variables}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def server(self, home: Path, **options: Any) -> ServerProcess:
        """``antiphon up`` in this environment; ``options`` as of ServerProcess."""
        command = (self.program("antiphon"),)
        return ServerProcess(home, command=command, cwd=self.elsewhere, **options)

    def distributions(self) -> set[str]:
        """What is installed."""
        listing = uv("pip", "list", "--python", self.program("python"), "--format", "json")
        return {each["name"] for each in json.loads(listing)}


def uv(*arguments: str, cwd: Path | None = None) -> str:
    """Run uv, and return what it printed. Raises CalledProcessError."""
    return subprocess.run(
        ["uv", *arguments],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
        check=True,
    ).stdout
