"""The commands that the README prints, run as they stand."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.forkserver.asking import SERVER
from tests.forkserver.program import fork_server
from tests.programs import PATH
from tests.proofs.bench.processes import ROOT

_BLOCK = "^```console {mark}\n(.*?)^```"
_MARK = "@@ end of command, exit code "
# What begins antiphon by fork comes first.
_PATH = os.pathsep.join([str(ROOT / "tests" / "forkserver" / "bin"), PATH])


@dataclass(frozen=True, slots=True)
class Ran:
    """One command of a block: what it printed, to both streams, and its exit code."""

    command: str
    output: str
    exit_code: int


def commands(mark: str, document: Path = ROOT / "README.md") -> list[str]:
    """The commands of the block that opens with ````console mark``, continued lines joined."""
    found = re.search(_BLOCK.format(mark=mark), document.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None, f"{document.name} has no block `console {mark}`"
    return list(_commands(found[1].splitlines()))


def transcript(mark: str, document: Path) -> list[tuple[str, str]]:
    """The commands of such a block, each with what the document says that it prints.

    Commands begin with `$ `, and what follows one is printed; `…` stands for anything.
    """
    found = re.search(_BLOCK.format(mark=mark), document.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None, f"{document.name} has no block `console {mark}`"
    told = [piece.partition("\n") for piece in re.split(r"^\$ ", found[1], flags=re.MULTILINE)[1:]]
    return [(command, output.strip()) for command, _, output in told]


def prints(ran: Ran, told: str) -> bool:
    """Whether a command printed what the document says."""
    pattern = ".*".join(map(re.escape, told.split("…")))
    return re.fullmatch(pattern, ran.output, re.DOTALL) is not None


def _commands(lines: list[str]) -> Iterator[str]:
    command = ""
    for line in lines:
        command += line.removeprefix("$ ") if not command else line
        if command.endswith("\\"):
            command += "\n"
        else:
            yield command
            command = ""


def run(block: list[str], variables: Mapping[str, str], timeout_s: float = PATIENCE_S) -> list[Ran]:
    """Run a block in one shell, like somebody who types it; ``antiphon`` is this environment's."""
    script = "".join(f"{{ {line}\n}} 2>&1; code=$?; echo; echo '{_MARK}'$code\n" for line in block)
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": _PATH, SERVER: fork_server(), **variables},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    pieces = re.split(rf"^{_MARK}(\d+)$", done.stdout, flags=re.MULTILINE)
    outputs, codes = pieces[:-1:2], pieces[1::2]
    return [
        Ran(command, output.strip(), int(code))
        for command, output, code in zip(block, outputs, codes, strict=True)
    ]


def run_beside(
    server: ServerProcess, block: list[str], port: int = 0, **variables: str
) -> list[Ran]:
    """Run a block where its server is on another port than the default one."""
    here = {
        "localhost:7450": f"127.0.0.1:{port or server.port}",
        "~/.local/share/antiphon": str(server.data_dir),
        "uv run ": "",
    }
    for old, new in here.items():
        block = [line.replace(old, new) for line in block]
    # `antiphon token` finds the server by what stands in the data directory.
    return run(block, {"ANTIPHON_DATA_DIR": str(server.data_dir), **variables})
