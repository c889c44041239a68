import re

from tests.repository.files import ROOT, repository_files

LOCK_FILES = {"uv.lock", "poetry.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"}
MACHINE_PATH = re.compile(rb"(?<![\w.*])/(work|root|home|opt/wheels)/")
REGISTRY = re.compile(rb"pypi\.org|pythonhosted\.org|registry\.npmjs|proxy\.golang|crates\.io")


def mentions(pattern: re.Pattern[bytes]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {found.group().decode()}"
        for path in repository_files()
        for found in pattern.finditer(path.read_bytes())
    ]


def test_no_lock_files() -> None:
    """Lock files name registry hosts, so none is in the repository."""
    assert [path for path in repository_files() if path.name in LOCK_FILES] == []


def test_no_paths_of_a_machine() -> None:
    """No file names a directory of the machine that it was written on."""
    assert mentions(MACHINE_PATH) == []


def test_no_registry_hosts() -> None:
    """Where packages come from is the machine's business."""
    assert mentions(REGISTRY) == []
