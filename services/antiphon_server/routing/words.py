"""What of a text is compared: its words, and the pieces of 3 to 5 letters that they are made of.

By its pieces a word is like its other forms, its compounds, its misspellings, and often its cousin
in another language. Accents are left out, since people do so, too.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

LONGEST_TEXT = 1024
"""Characters that are looked at: what a message is about is said early."""
LONGEST_WORD = 32
_PIECES = (3, 4, 5)
_WORD = re.compile(r"\w+")


def features(text: str) -> AbstractSet[str]:
    """Words are marked with `=`; `<` and `>` stand where a word begins and ends."""
    found: set[str] = set()
    for word in set(_WORD.findall(_normal(text))):
        bounded = f"<{word[:LONGEST_WORD]}>"
        found.add(f"={word[:LONGEST_WORD]}")
        for size in _PIECES:
            found.update(bounded[at : at + size] for at in range(len(bounded) - size + 1))
    return found


def _normal(text: str) -> str:
    """NFKC, case folded, without accents. One character may become eighteen: it is cut twice."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold()[:LONGEST_TEXT]
    if folded.isascii():
        return folded
    return "".join(
        it for it in unicodedata.normalize("NFD", folded) if not unicodedata.combining(it)
    )
