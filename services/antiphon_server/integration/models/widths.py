"""How many bytes a text may have where a model's tokenizer reads it.

A token stands for a byte of UTF-8 at least: tokenizers of models know each byte, and have longer
tokens beside them. What they read may be longer than what was sent: some put characters into a
normal form first, which is up to 11 times as long, and templates write JSON as it suits them.
"""

import json
from unicodedata import normalize

_INDENTED = 2
"""A value of a JSON text becomes that much longer, in tokens, where each has a line of its own."""


def widest(text: str) -> int:
    """A text as it is, in the longest of its normal forms."""
    if text.isascii():
        return len(text)
    forms = (text, normalize("NFC", text), normalize("NFKC", text))
    return max([len(form.encode()) for form in forms])


def widest_quoted(text: str) -> int:
    """A text as a string of JSON, where characters beyond ASCII are escaped."""
    return max(len(json.dumps(text)), widest(text))


def widest_json(text: str) -> int:
    """A JSON text, with characters beyond ASCII escaped, and each value on a line of its own."""
    return _INDENTED * (widest_quoted(text) - text.count('"'))
