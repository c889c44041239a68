"""Run by an environment's Python: which imports of an installed distribution lead nowhere.

Prints ``{"module": "why"}`` for modules that can't be imported, and ``{"module: name": "why"}``
for what those that can would import later, in their functions. Looks at all modules of the
distribution that its first argument names, or at those that further arguments name.
"""

import ast
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path


def lacking(distribution: str, only: Sequence[str]) -> dict[str, str]:
    """What they lack."""
    found: dict[str, str] = {}
    for path in files(distribution) or ():
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        if path.suffix != ".py" or (only and module not in only):
            continue
        try:
            importlib.import_module(module)
        except ImportError as error:
            found[module] = str(error)
            continue
        for name in later(ast.parse(Path(str(path.locate())).read_text())):
            if not there(name):
                found[f"{module}: {name}"] = f"No module named {name!r}"
    return found


def later(tree: ast.AST) -> Iterator[str]:
    """The modules that a module imports anywhere but for its types."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(str(name), _, 0):
                yield name
            case ast.If(ast.Name("TYPE_CHECKING")):
                pass
            case _:
                yield from later(node)


def there(name: str) -> bool:
    """Whether a module could be imported."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    json.dump(lacking(sys.argv[1], sys.argv[2:]), sys.stdout)
