"""Replacing one function of the server by another, before it runs."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

Wrapper = Callable[[Any], Any]


class NothingToReplace(Exception):
    """The server has no such function any more: the defect must be planted elsewhere."""


def find(path: str) -> tuple[Any, str, Any]:
    """Who owns the function, its name, and the function. Raises NothingToReplace."""
    module_name, _, names = path.partition(":")
    *owners, name = names.split(".")
    try:
        owner: Any = importlib.import_module(module_name)
        for part in owners:
            owner = getattr(owner, part)
        return owner, name, vars(owner)[name]
    except (ImportError, AttributeError, KeyError) as error:
        raise NothingToReplace(path) from error


def replace(path: str, wrapper: Wrapper) -> None:
    """Put ``wrapper(original)`` in the place of ``module:Class.name`` or ``module:name``.

    A module's function is replaced wherever it was imported to. Raises NothingToReplace.
    """
    importlib.import_module("antiphon_server.app")
    owner, name, original = find(path)
    replacement = wrapper(original)
    setattr(owner, name, replacement)
    if "." not in path.partition(":")[2]:
        for module in _modules():
            for alias, value in list(vars(module).items()):
                if value is original:
                    setattr(module, alias, replacement)


def _modules() -> list[Any]:
    known = sys.modules.items()
    return [it for name, it in known if name.startswith("antiphon_server") and it is not None]
