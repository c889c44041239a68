"""A name for the account of somebody whom a provider vouches for."""

import re
import secrets
from collections.abc import Container, Iterable, Iterator

from antiphon_server.auth.service import local_operator, test_user
from antiphon_server.auth.service.users import fold_name, printable

_OTHER = re.compile(r"[^0-9a-z._-]+")
_LONGEST = 48
_TRIES = 20
_RESERVED = frozenset(
    f"""{local_operator.NAME} {test_user.NAME} abuse admin administrator anonymous antiphon bot
    guest help hostmaster info model moderator nobody noreply operator owner postmaster root
    security server service staff superuser support sysadmin system webmaster""".split()
)
"""What the installation needs itself, or what says more than who somebody is (RFC 2142)."""


def names_for(hints: Iterable[str], services: Container[str]) -> Iterator[str]:
    """Names to try, the best first, ever less like the person's own; a bounded number.

    Only plain characters are kept, and an e-mail address up to its @, so that nobody gets
    a name that looks like another's; whoever calls themselves `root`, or as one of the
    ``services``, gets `root-123456`.
    """
    plain = [_plain(hint) for hint in hints]
    best = next(filter(None, plain), "user")
    if best not in _RESERVED and best not in services:
        yield best
    for _ in range(_TRIES):
        yield f"{best}-{secrets.randbelow(1_000_000):06d}"


def display_name_for(hint: str, name: str) -> str:
    """What others see: at most 128 characters."""
    return printable(hint).strip()[:128] or name


def _plain(hint: str) -> str:
    local = fold_name(hint[:256]).partition("@")[0]
    return _OTHER.sub("-", local).strip("-._")[:_LONGEST]
