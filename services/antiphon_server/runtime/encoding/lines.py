"""Text of somebody's own choosing as others see it: it commands nothing."""

CONTROLS = frozenset({*range(0x20), *range(0x7F, 0xA0)})
"""Those that command terminals."""
DIRECTIONS = frozenset({0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})
"""Marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9).

They make what follows read in another order. Scripts from right to left need none in a line.
"""
BREAKS = frozenset({0x2028, 0x2029})
"""Separators of lines and paragraphs."""
_IN_A_LINE: dict[int, str | None] = dict.fromkeys(CONTROLS | BREAKS, " ")
_IN_A_LINE |= dict.fromkeys(DIRECTIONS)


def in_one_line(text: str) -> str:
    """Blanks for what commands terminals or ends lines, nothing for what turns directions."""
    return text.translate(_IN_A_LINE)
