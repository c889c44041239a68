"""The repository's own files."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def repository_files() -> Iterator[Path]:
    """Every file that is committed or would be, as absolute paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split("\0")
    paths = (ROOT / name for name in listed if name)
    return (path for path in paths if path.is_file())


def documents() -> Iterator[Path]:
    """Every Markdown file."""
    return (path for path in repository_files() if path.suffix == ".md")
