"""Which new passwords are refused (NIST SP 800-63B, 5.1.1.2).

Long ones of any characters are good. No class of characters is asked for: such rules make
passwords that are harder to remember than to guess.
"""

import re
import unicodedata
from collections.abc import Sequence

from antiphon_server.runtime.errors import invalid

SHORTEST = 12
LONGEST_BYTES = 1024
OWN = 6
"""Characters that must be left of a password without what everybody knows of its owner."""
_CONTEXT = "antiphon"
_REPEATED = re.compile(r"(.+?)\1*", re.DOTALL)


def normal(password: str) -> str:
    """The same characters however they were typed."""
    return unicodedata.normalize("NFKC", password)


def refuse_weak(password: str, names: Sequence[str], field: str) -> None:
    """Raise DomainError INVALID_ARGUMENT for a new password that breaks the policy.

    ``names`` are what its owner is called, ``field`` is where the request has it.
    """
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        raise invalid(field, f"must have at least {SHORTEST} characters")
    if len(chosen.encode()) > LONGEST_BYTES:
        raise invalid(field, f"must have at most {LONGEST_BYTES} bytes")
    if len(_own(chosen.casefold(), names)) < OWN:
        raise invalid(field, "must be more than one's name, the product's, or a few keys repeated")


def _own(password: str, names: Sequence[str]) -> str:
    """What is left without names and repetitions."""
    words = [_CONTEXT, *(word for name in names for word in _words(name))]
    for word in sorted(words, key=len, reverse=True):
        password = password.replace(word, "")
    whole = _REPEATED.fullmatch(password)
    return whole[1] if whole else ""


def _words(name: str) -> list[str]:
    """A name and its parts; shorter parts are in too many words to mean anything."""
    folded = normal(name).casefold()
    return [word for word in [folded, *re.split(r"[\W_]+", folded)] if len(word) >= 3]
