"""The wheel holds what the checkout holds, and asks for what its modules import."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.installed.environments import described
from tests.proofs.bench.processes import ROOT
from tests.repository.files import repository_files


def importable() -> Iterator[str]:
    """Every file of a package that a checkout finds, by its path from where imports begin."""
    tracked = list(repository_files())
    for root in described(ROOT)["tool"]["hatch"]["build"]["dev-mode-dirs"]:
        below = [path.relative_to(ROOT / root) for path in tracked if ROOT / root in path.parents]
        packages = {path.parts[0] for path in below if path.suffix == ".py"}
        yield from (str(path) for path in below if path.parts[0] in packages)


def test_the_wheel_holds_all_packages_of_the_checkout_and_nothing_else(wheel: Path) -> None:
    """Modules, stubs of every root of contracts, pages, markers of types, and the licence."""
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        assert names == set(importable())
        assert any(name.endswith("/licenses/LICENSE") for name in packed.namelist())
