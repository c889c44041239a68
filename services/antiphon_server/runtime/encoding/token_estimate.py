"""How many tokens a text has where nobody counts them: the estimate that budgets are told in."""

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
"""What stands around a message, or a text of its own, besides what it says."""


def tokens_of_bytes(size: int) -> int:
    """The estimate for a text of ``size`` bytes of UTF-8, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def tokens_of_text(text: str) -> int:
    """The estimate for a text."""
    return tokens_of_bytes(len(text.encode("utf-8", "replace")))
