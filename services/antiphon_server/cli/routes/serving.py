"""Handlers that rules name, and nobody serves."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from antiphon.dispatcher.v1.route_pb2 import RouteRule
from antiphon.dispatcher.v1.turn_pb2 import Handler
from antiphon_client import Client
from antiphon_server.runtime.revisions.model import GLOBAL

_MOST_WORKSPACES = 10


async def unserved(client: Client, parent: str, rules: Sequence[RouteRule]) -> Sequence[str]:
    """A sentence for each handler that nobody serves now, with what may have been meant.

    Rules of all workspaces may name what only those serve that they match: the first ten of these
    are asked, too.
    """
    there: dict[str, Handler] = {}
    for workspace in _asked(parent, rules):
        async for it in client.list_handlers(workspace):
            there[it.name] = it
    named = sorted({name for rule in rules for name in _named(rule)})
    away = (it for it in named if it not in there or not there[it].available)
    return [f"nobody serves {it} now{_meant(it, there)}" for it in away]


def _asked(parent: str, rules: Iterable[RouteRule]) -> Sequence[str]:
    if parent != GLOBAL:
        return [parent]
    matched = sorted({it for rule in rules for it in rule.match.workspaces})
    return ["", *matched[:_MOST_WORKSPACES]]


def _named(rule: RouteRule) -> Iterator[str]:
    yield from filter(None, (rule.handler, rule.fallback, *rule.classifier.handlers))


def _meant(name: str, there: Iterable[str]) -> str:
    near = [] if name in there else get_close_matches(name, there, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
