"""Routes, as the commands that all rules have speak of them."""

from typing import TYPE_CHECKING

from antiphon_server.cli.rules.about import About

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.route_pb2 import RouteRule
    from antiphon_server.cli.rules.kind import Kind


def _load() -> "Kind[RouteRule]":
    from antiphon_server.cli.routes.rules import RULES

    return RULES


ROUTES = About(
    command="routes",
    one="rule",
    many="rules",
    load=_load,
    none="set FILE` sets some",
    shown="Show the rules in the order in which they are tried: what each matches, and where it "
    "goes.\n\n`else` is who gets it where nobody serves the handler, or no expert is clearly the "
    "best.",
    holds="Turns that come later go by the new ones, on all servers within a second.",
    why="invoices have an expert",
    why_not="4 sent too much to travel",
)
