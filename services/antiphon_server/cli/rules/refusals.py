"""What the server refuses of rules: in which file, which rule, which field, and what to do."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from antiphon_client import AntiphonError
from antiphon_server.cli.console import CommandError, in_a_line
from antiphon_server.cli.rules.file import called
from antiphon_server.cli.rules.kind import Kind
from antiphon_server.cli.rules.spelling import in_words


@contextmanager
def setting(kind: Kind[Any], path: str, rules: Sequence[Any]) -> Iterator[None]:
    """Say what the server refuses of a file's rules, or of one that options made of an empty path.

    Raises CommandError.
    """
    try:
        yield
    except AntiphonError as error:
        if error.reason == "ETAG_MISMATCH":
            raise CommandError(
                f"somebody has set other {kind.about.all} meanwhile: look at them (`antiphon "
                f"{kind.about.command} show --toml`), put your change in, and set them again"
            ) from None
        if error.reason != "INVALID_ARGUMENT" or not error.violations:
            raise
        lines = (_refused(kind, rules, path, *it) for it in error.violations.items())
        where = f"{called(path)}: " if path else ""
        raise CommandError(in_a_line(where + "; ".join(lines))) from None


def _refused(kind: Kind[Any], rules: Sequence[Any], path: str, field: str, broken: str) -> str:
    at_one = re.compile(rf"{kind.about.many}\[(\d+)\]\.?")

    def named(at: int) -> str:
        name = rules[at].name if at < len(rules) else ""
        return kind.place(at, name) if path else f"{kind.about.one} {name}"  # nobody counts those

    found = at_one.match(field)
    if found is None:
        return f"{field} {broken}"
    at, rest = int(found[1]), field[found.end() :]
    if "regex" in broken:
        name = re.sub(r"\[.*", "", rest).rpartition(".")[2]
        broken = kind.written.get(name, "is not how one is written")
    broken = at_one.sub(lambda it: named(int(it[1])), broken)
    return f"{named(at)}: {' '.join(filter(None, (rest, in_words(kind.descriptor, broken))))}"
