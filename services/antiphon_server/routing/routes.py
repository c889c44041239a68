"""The routes of all parents: which stand now, ready to be asked."""

from typing import TypeAlias

from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Rule
from antiphon_server.runtime.revisions.ports import RevisionStore
from antiphon_server.runtime.revisions.standing import Standing

RouteStore: TypeAlias = RevisionStore[Rule]
Routes: TypeAlias = Standing[Rule, Table]


def routes_in(store: RouteStore) -> Routes:
    """Those that a store keeps."""
    return Standing("routes", store, Table)
