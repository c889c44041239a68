"""What the server refuses of rules: in which file, which rule, which field, and what to do."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from antiphon.dispatcher.v1.route_pb2 import RouteRule
from antiphon_client import AntiphonError
from antiphon_server.cli.console import CommandError, in_a_line
from antiphon_server.cli.explain import NO_HANDLER
from antiphon_server.cli.routes.file import called, place

_AT = re.compile(r"rules\[(\d+)\]\.?")
_KEY = "is no key: write small letters, digits, _, . and -, a letter first (at most 64)"
_NO_HANDLER = NO_HANDLER.replace("that is", "is")
_WRITE = {
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


@contextmanager
def setting(path: str, rules: Sequence[RouteRule]) -> Iterator[None]:
    """Say of a file's rules what the server refuses of them. Raises CommandError."""
    try:
        yield
    except AntiphonError as error:
        if error.reason == "ETAG_MISMATCH":
            raise CommandError(
                "somebody has set other routes meanwhile: look at them (`antiphon routes show "
                "--toml`), put your change in, and set them again"
            ) from None
        if error.reason != "INVALID_ARGUMENT" or not error.violations:
            raise
        lines = (_refused(rules, *it) for it in error.violations.items())
        raise CommandError(in_a_line(f"{called(path)}: {'; '.join(lines)}")) from None


def _refused(rules: Sequence[RouteRule], field: str, broken: str) -> str:
    found = _AT.match(field)
    if found is None:
        return f"{field} {broken}"
    at, rest = int(found[1]), field[found.end() :]
    if "regex" in broken:
        name = re.sub(r"\[.*", "", rest).rpartition(".")[2]
        broken = _WRITE.get(name, "is not how one is written")
    broken = _AT.sub(lambda it: _named(rules, int(it[1])), broken)
    return f"{_named(rules, at)}: {' '.join(filter(None, (rest, broken)))}"


def _named(rules: Sequence[RouteRule], at: int) -> str:
    return place(at, rules[at].name if at < len(rules) else "")
