"""Text of others as people may be shown it."""

import unicodedata

REPLACEMENT = "\ufffd"
# What is drawn as nothing and is no format character: joiners, fillers, variation selectors.
_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)}
)
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text, in which each character that nobody sees is U+FFFD; lines and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)


def written(text: str) -> str:
    """The text in characters that can be written: half a surrogate is a "?"."""
    return text if text.isascii() else text.encode(errors="replace").decode()


class _Shown(dict[int, int]):
    """What a character is shown as; each is looked up once."""

    def __missing__(self, code: int) -> int:
        hidden = unicodedata.category(chr(code)) in _HIDDEN or code in _BLANK
        self[code] = ord(REPLACEMENT) if hidden else code
        return self[code]


_SHOWN = _Shown({ord("\n"): ord("\n"), ord("\t"): ord("\t")})
