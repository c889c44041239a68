"""Contracts of imports that hold for every service, without a list of them.

A service is a package with a ``descriptor``. ``.importlinter`` says ``services`` where all of them
are meant.
"""

from dataclasses import replace
from typing import Any

from grimp import ImportGraph
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract, ModuleTail
from importlinter.domain.contract import ContractCheck
from importlinter.domain.imports import ModuleExpression

SERVICES = "services"


def services(graph: ImportGraph, container: str) -> list[str]:
    """The names of the packages in the container that have a descriptor."""
    children = graph.find_children(container)
    return sorted(
        child.rpartition(".")[2] for child in children if f"{child}.descriptor" in graph.modules
    )


class ServiceLayers(LayersContract):
    """Layers, of which one is of all services, which do not know each other."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """See :meth:`LayersContract.check`."""
        given: Any = self  # its fields hold what was parsed
        (container,) = given.containers
        names = services(graph, container.expression)
        given.layers = [_with_services(layer, names) for layer in given.layers]
        return super().check(graph, verbose)


class ServiceForbidden(ForbiddenContract):
    """What no service may import."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """See :meth:`ForbiddenContract.check`."""
        given: Any = self
        (every,) = given.source_modules
        container = every.expression.removesuffix(f".{SERVICES}")
        names = services(graph, container)
        given.source_modules = {ModuleExpression(f"{container}.{name}") for name in names}
        return super().check(graph, verbose)


def _with_services(layer: Any, names: list[str]) -> Any:
    tails = {tail for tail in layer.module_tails if tail.name != SERVICES}
    if len(tails) < len(layer.module_tails):
        tails |= {ModuleTail(name) for name in names}
    return replace(layer, module_tails=tails)
