"""Routes as commands speak of them."""

from antiphon.dispatcher.v1.route_pb2 import RouteRule, Routes
from antiphon_server.cli.explain import NO_HANDLER
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.rules.file import written
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
    "senders": "is nobody: write users/user_…, as `antiphon whoami` tells of whoever it is",
    "workspaces": "is no workspace: write ws_…, as `antiphon conversations --json` has it",
}
RULES = Kind(RouteRule, "rule", "rules", "routes", _WRITTEN)


def as_file(routes: Routes) -> str:
    """The rules as a file that `set` takes."""
    said = f"# Routes {these(routes.parent)}, revision {routes.revision}."
    return written(RULES, said, routes.rules)
