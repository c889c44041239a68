"""What a worker speaks with."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("antiphon-client", "antiphon")


@cache
def library() -> str:
    """This library and its version, for people who look for a defect; reads files once."""
    for package in _PACKAGES:
        try:
            return f"antiphon-python/{version(package)}"
        except PackageNotFoundError:
            continue
    return "antiphon-python"
