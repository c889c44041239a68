"""Names of files as a diff has them: hostile until looked at."""

import re
from pathlib import PurePosixPath

from experts.reviewer.refusals import Refused

MAX_PATH = 400
MAX_PART = 200  # in bytes, as disks count
# By control characters, backslashes and drives other systems and tools understand other names.
_STRANGE = re.compile(r"[\x00-\x1f\x7f\\\"]|^[A-Za-z]:")


def safe(path: str) -> str:
    """The path, if it can't lead out of a folder. Raises Refused."""
    parts = path.split("/")
    if _STRANGE.search(path) or any(part in ("", ".", "..") for part in parts):
        raise Refused(f"The path {path[:MAX_PATH]!r} is not a plain one within the checkout.")
    if any(part.lower() == ".git" for part in parts):
        raise Refused("The diff is about what git keeps for itself.")
    if len(path) > MAX_PATH or any(len(part.encode()) > MAX_PART for part in parts):
        raise Refused("A path of the diff is too long.")
    return path


def is_python(path: str) -> bool:
    """Whether it is reviewed. Nothing else is applied, so no diff changes how tools are set up."""
    return PurePosixPath(path).suffix in (".py", ".pyi")
