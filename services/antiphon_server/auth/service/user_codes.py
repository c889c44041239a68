"""What a device shows for people to type: 8 of 20 consonants (RFC 8628, 6.1).

No vowels, so that no word comes about; no digits, so that nothing looks alike. 20 ** 8 are
2.56e10, about 34 bits.
"""

import re
import secrets

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_SHAPE = re.compile(f"[{LETTERS}]{{8}}")
_BETWEEN = re.compile(r"[\s-]")


def new_user_code() -> str:
    """A fresh code, as it is shown: ``BCDF-GHJK``."""
    code = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def read_user_code(typed: str) -> str | None:
    """The code that somebody typed, in any case, with or without the dash; None if it is none."""
    code = _BETWEEN.sub("", typed).upper()
    return code if _SHAPE.fullmatch(code) else None
