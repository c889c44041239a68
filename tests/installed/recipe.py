"""A Dockerfile's instructions, carried out one by one in a folder that stands for the image's root.

Each path that the image names is led into that folder, which takes the place of ``chroot``; so
the scripts that an installation writes name it too. The base image is this machine: its Python,
in an environment that has pip, and its shell.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from tests.installed.environments import LIMIT_S, uv
from tests.proofs.bench.processes import environment

# Those folders of the image that its instructions name.
_PATHS = re.compile(r"(?<![\w.:/-])/(?=src\b|var/lib/)")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction and what stands behind it, continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", lines).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, " ".join(rest.split())


@dataclass(slots=True)
class Image:
    """What the instructions have made: a root, and how a container of it is started."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    home: str = "/root"
    user: int = 0
    exposed: list[int] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """The image's paths, led into its root."""
        return _PATHS.sub(f"{self.root}/", text)

    def environment(self) -> dict[str, str]:
        """What a container's processes have, besides what the machine gives to all."""
        base = f"{self.root}/usr/bin:{os.environ['PATH']}"
        told = {name: self.here(value) for name, value in self.variables.items()}
        told["PATH"] = told.get("PATH", "$PATH").replace("$PATH", base)
        # Packages come from this machine's cache, linked.
        cache = {"UV_CACHE_DIR": uv("cache", "dir").strip(), "UV_LINK_MODE": "hardlink"}
        cache["VIRTUAL_ENV"] = ""  # of whoever runs this
        return environment({"HOME": f"{self.root}{self.home}", **told, **cache})


class Build:
    """Carries out a recipe's instructions; ``context`` is the folder that it is built from."""

    def __init__(self, context: Path, root: Path) -> None:
        self._context = context
        self._root = root
        self._stages: dict[str, Path] = {}
        self._ignored = ignored((context / "deploy/docker/Dockerfile.dockerignore").read_text())
        self.image = Image(root)
        self._name = ""

    def run(self, text: str) -> Image:
        """All of them. Raises KeyError for one that this does not know."""
        known: dict[str, Callable[[str], None]] = {
            "FROM": self._from,
            "ENV": self._env,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
            "USER": self._user,
            "VOLUME": self._volume,
            "EXPOSE": lambda rest: self.image.exposed.append(int(rest)),
            "HEALTHCHECK": self._healthcheck,
            "ENTRYPOINT": lambda rest: self.image.entrypoint.extend(json.loads(rest)),
            "CMD": lambda rest: self.image.command.extend(json.loads(rest)),
        }
        for word, rest in instructions(text):
            known[word](rest)
        return self.image

    def _from(self, rest: str) -> None:
        """A new root; what the stage before has made is kept under its name."""
        if self._root.exists():
            self._stages[self._name] = self._root.with_name(f"stage-{self._name}")
            self._root.rename(self._stages[self._name])
        base, _, self._name = rest.partition(" AS ")
        assert base.startswith("python:"), base
        self.image = Image(self._root)
        self._root.mkdir()
        uv("venv", "--quiet", "--seed", "--python", sys.executable, str(self._root / "usr"))

    def _env(self, rest: str) -> None:
        self.image.variables |= dict(each.split("=", 1) for each in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self.image.folder = rest
        self._inside(rest).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        stage = self._context
        if sources[0].startswith("--from="):
            stage = self._stages[sources.pop(0).removeprefix("--from=")]
        into = self._inside(target)
        for source in sources:
            found = stage / source.lstrip("/")
            if stage != self._context:
                into.parent.mkdir(parents=True, exist_ok=True)
                found.rename(into)  # in place of a copy: nobody looks at that stage again
            elif found.is_dir():  # of a folder what is in it is copied
                shutil.copytree(
                    found, into, symlinks=True, dirs_exist_ok=True, ignore=self._left_out
                )
            else:
                assert target.endswith("/"), rest
                assert not self._ignored.match_file(source), source
                shutil.copy2(found, into)

    def _left_out(self, folder: str, names: list[str]) -> set[str]:
        """Names in a folder of the context that never get to the build."""
        below = Path(folder).relative_to(self._context)
        return {name for name in names if self._ignored.match_file(str(below / name))}

    def _run(self, rest: str) -> None:
        """In a shell, as it stands; but no user of this machine is made."""
        words = shlex.split(rest)
        if words[0] == "useradd":
            self._useradd(words[1:])
            return
        subprocess.run(
            ["sh", "-c", self.image.here(rest)],
            cwd=self._inside(self.image.folder),
            env=self.image.environment(),
            timeout=LIMIT_S,
            check=True,
        )

    def _useradd(self, words: list[str]) -> None:
        assert "--create-home" in words, words
        self.image.home = words[words.index("--home-dir") + 1]
        self._inside(self.image.home).mkdir(mode=0o700, parents=True)

    def _user(self, rest: str) -> None:
        self.image.user = int(rest)

    def _volume(self, rest: str) -> None:
        assert self._inside(rest).is_dir(), rest

    def _healthcheck(self, rest: str) -> None:
        self.image.health = json.loads(rest.partition(" CMD ")[2])

    def _inside(self, path: str) -> Path:
        """A path of the image; a relative one is in the working folder."""
        whole = PurePosixPath(self.image.folder, path)
        return self._root / whole.relative_to("/")


def ignored(text: str) -> GitIgnoreSpec:
    """A ``.dockerignore``: which paths of the context do not get to the build."""
    rules = (re.sub(r"^(!?)(?!\*\*/)", r"\1/", line) for line in text.splitlines())
    return GitIgnoreSpec.from_lines(rules)
