import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.forkserver.program import run
from tests.repository.files import ROOT, documents

FENCED = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
COMMAND = re.compile(r"^\s*(?:\$ )?(?:uv run )?antiphon (?P<arguments>[a-z].*)$", re.MULTILINE)
NAMED = re.compile(r"`((?:clients|deploy|docs|proto|services|tests|\.ci)/[\w./-]+)`")
WIDTH = 125
TASK = re.compile(r"\bpoe ([a-z]+)")


def relative_links(document: Path) -> Iterator[str]:
    for match in LINK.finditer(document.read_text()):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:|#|<", target):
            yield target.partition("#")[0]


def commands(document: Path) -> Iterator[list[str]]:
    """The words after `antiphon` on every line of a code block that calls it."""
    for block in FENCED.finditer(document.read_text()):
        for match in COMMAND.finditer(block[1]):
            yield shlex.split(re.split(r" [|>&;]", match["arguments"])[0], comments=True)


def prose(document: Path) -> Iterator[tuple[int, str]]:
    """The lines outside of code blocks, with their numbers."""
    in_code = False
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def help_of(command: str) -> subprocess.CompletedProcess[str]:
    return run([command, "--help"], {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


def test_named_files_exist() -> None:
    """Every link to a file of the repository leads to one, and every path in code names one."""
    named = [
        (document, path)
        for document in documents()
        for path in [
            *(document.parent / link for link in relative_links(document)),
            *(ROOT / name for name in NAMED.findall(document.read_text())),
        ]
    ]
    assert [f"{document.name}: {path}" for document, path in named if not path.exists()] == []


def test_documented_commands_exist() -> None:
    """Every `antiphon` command in a code block exists, with the options it is given."""
    used: dict[str, set[str]] = {}
    for document in documents():
        for command, *arguments in commands(document):
            options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            used.setdefault(command, set()).update(options)
    for command, options in used.items():
        shown = help_of(command)
        assert shown.returncode == 0, f"{command}: {shown.stderr}"
        assert [option for option in options if option not in shown.stdout] == [], command


def test_documented_tasks_exist() -> None:
    """Every `poe` task that a document names is defined."""
    defined = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poe"]["tasks"]
    named = {name for document in documents() for name in TASK.findall(document.read_text())}
    assert named <= defined.keys()


def test_every_dependency_is_described() -> None:
    """Every direct dependency, extras and development included, has a line in dependencies.md."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *pyproject["dependency-groups"].values(),
    ]
    names = {re.split(r"[\[<>=; ]", need)[0] for group in groups for need in group}
    described = (ROOT / "docs" / "dependencies.md").read_text()
    missing = [
        n for n in names if not re.search(rf"(?m)^\|[^\n]*(?<![\w-]){n}(?![\w-])", described)
    ]
    assert [name for name in missing if name != project["name"]] == []


def test_prose_keeps_to_its_width() -> None:
    """So that a difference shows what changed; tables and code are as they are."""
    wide = [
        f"{document.relative_to(ROOT)}:{number}"
        for document in documents()
        if document.is_relative_to(ROOT / "docs")
        for number, line in prose(document)
        if len(line) > WIDTH and not line.lstrip().startswith("|")
    ]
    assert wide == []


def test_workers_to_copy_are_as_short_as_the_guide_says() -> None:
    """In each language the whole worker is one file of under 120 lines."""
    guide = ROOT / "docs" / "guides" / "workers.md"
    (paragraph,) = (it for it in guide.read_text().split("\n\n") if "under 120 lines" in it)
    sources = [guide.parent / it for it in re.findall(r"\((\S+\.(?:js|go))\)", paragraph)]
    assert {it.suffix for it in sources} == {".js", ".go"}
    lengths = {it.name: len(it.read_text().splitlines()) for it in sources}
    assert [it for it in lengths.items() if it[1] >= 120] == []
