"""Texts in which programs have written letters as escapes of JSON, as they are meant."""

import re

_ESCAPE = re.compile(r"\\\\|\\u([0-9a-fA-F]{4})")


def unescaped(text: str) -> str:
    """The text with letters for their escapes; what JSON must have escaped stays so."""
    return _ESCAPE.sub(_meant, text) if "\\u" in text else text


def _meant(escape: "re.Match[str]") -> str:
    if escape[1] is None:
        return escape[0]
    code = int(escape[1], 16)
    stays = code < 0x20 or chr(code) in '"\\' or 0xD800 <= code < 0xE000
    return escape[0] if stays else chr(code)
