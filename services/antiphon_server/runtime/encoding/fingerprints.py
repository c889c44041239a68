"""A digest of what is said, that is the same for what is much the same."""

import hashlib
import re
from collections.abc import Iterable

LOOKED_AT = 512
"""So many characters of the beginning count."""
_ELSE = re.compile(r"[\W\d_]+")


def fingerprint(texts: Iterable[str]) -> int:
    """64 bits of the letters that texts begin with; of texts without letters, of all of it.

    Case, numbers, spaces and punctuation are no difference. It is never 0.
    """
    said = "\n".join(texts)
    begin = said[:LOOKED_AT]
    letters = _ELSE.sub("", begin.casefold()) or begin
    digest = hashlib.blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) or 1
