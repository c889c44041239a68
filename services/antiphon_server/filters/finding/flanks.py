"""What stands beside a number, by which it is a part of something else."""


def stands_alone(coded: bytes, start: int, end: int) -> bool:
    """Whether neither letters, digits nor a fraction's point with digits are beside it.

    Two characters on each side tell.
    """
    before, after = coded[max(0, start - 2) : start], coded[end : end + 2]
    if before[-1:].isalnum() or after[:1].isalnum():
        return False
    if before[-1:] in (b".", b",") and before[:1].isdigit() and len(before) == 2:
        return False
    return not (after[:1] in (b".", b",") and after[1:].isdigit())


def tail(coded: bytes, of: bytes, most: int) -> int:
    """Where the last characters begin that are all of those, at most so many."""
    end = coded[max(0, len(coded) - most) :]
    return len(coded) - (len(end) - len(end.rstrip(of)))
