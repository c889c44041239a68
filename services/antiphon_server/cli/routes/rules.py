"""Routes as commands speak of them."""

from collections.abc import Sequence

from antiphon.dispatcher.v1.route_pb2 import RouteRule
from antiphon_client import Client
from antiphon_server.cli.explain import NO_HANDLER
from antiphon_server.cli.routes.about import ROUTES
from antiphon_server.cli.routes.serving import unserved
from antiphon_server.cli.routes.words import HEADINGS, row_of
from antiphon_server.cli.rules.kind import Kind

_KEY = "is no key: write small letters, digits, _, . and -, a letter first (at most 64)"
_NO_HANDLER = NO_HANDLER.replace("that is", "is")
_WRITTEN = {
    "name": "is no name of a rule: write small letters, digits and -, a letter first (at most 64)",
    "handler": _NO_HANDLER,
    "fallback": _NO_HANDLER,
    "handlers": _NO_HANDLER,
    "types": 'is no type: write one like form.submitted, or "" for what people say',
    "media_types": "is no type of media: write one like application/pdf or image/*",
    "metadata": _KEY,
    "labels": _KEY,
    "languages": "is no tag of a language: write one like de, en or pt-BR",
    "sender_locales": "is no tag of a language: write one like de, en or pt-BR",
    "sender_fields": _KEY,
    "senders": "is nobody: write users/user_…, as `antiphon whoami` tells of whoever it is",
    "workspaces": "is no workspace: write ws_…, as `antiphon workspaces` lists it",
}


def _tried(rules: Sequence[RouteRule]) -> Sequence[RouteRule]:
    return sorted(rules, key=lambda it: -it.priority)


RULES = Kind(
    ROUTES,
    RouteRule,
    _WRITTEN,
    Client.get_routes,
    Client.set_routes,
    Client.list_route_revisions,
    HEADINGS,
    row_of,
    _tried,
    unserved,
    unserved,
)
