"""Whoever adds a service gets its contracts of imports without naming it in their file."""

import pytest
from grimp import ImportGraph
from importlinter.configuration import configure

from tests.repository.service_contracts import ServiceForbidden, ServiceLayers

configure()  # what its command does first
SESSION = {"root_packages": ["shop"], "include_external_packages": "True"}


def graph(*imports: tuple[str, str]) -> ImportGraph:
    """Of two services, an application above them and what they stand on."""
    made = ImportGraph()
    for name in ("", ".app", ".base", ".one", ".two", ".one.descriptor", ".two.descriptor"):
        made.add_module(f"shop{name}")
    made.add_module("grpc", is_squashed=True)
    for importer, imported in imports:
        made.add_import(importer=importer, imported=imported)
    return made


def layers() -> ServiceLayers:
    """The application, the services, the base; nothing else."""
    options = {
        "layers": ["app", "services", "base"],
        "containers": ["shop"],
        "exhaustive": "True",
    }
    return ServiceLayers("layers", SESSION, options)


ALLOWED = [("shop.app", "shop.one"), ("shop.one", "shop.base")]


def test_services_stand_between_their_layers() -> None:
    """Above what they stand on, below who puts them together."""
    assert layers().check(graph(*ALLOWED), verbose=False).kept


@pytest.mark.parametrize(
    "wrong",
    [("shop.one", "shop.two"), ("shop.one", "shop.app"), ("shop.base", "shop.two.descriptor")],
    ids=" imports ".join,
)
def test_a_service_imports_neither_another_nor_what_is_above(wrong: tuple[str, str]) -> None:
    """Whichever it is: nobody has named it."""
    assert not layers().check(graph(*ALLOWED, wrong), verbose=False).kept


def test_what_is_no_service_has_to_have_a_place() -> None:
    """A package without a descriptor is none."""
    made = graph()
    made.add_module("shop.stray")
    assert not layers().check(made, verbose=False).kept


@pytest.mark.parametrize("importer", ["shop.one", "shop.two.descriptor"])
def test_what_is_forbidden_to_services_is_forbidden_to_each(importer: str) -> None:
    """And to nothing else."""
    options = {"source_modules": ["shop.services"], "forbidden_modules": ["grpc"]}
    contract = ServiceForbidden("rules", SESSION, options)
    assert contract.check(graph(("shop.app", "grpc")), verbose=False).kept
    again = ServiceForbidden("rules", SESSION, options)
    assert not again.check(graph((importer, "grpc")), verbose=False).kept
