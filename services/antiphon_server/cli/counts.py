"""Counts of things, as people read them."""


def counted(number: int, thing: str) -> str:
    """One message, two messages; its plural ends with s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
