"""``python -m tests.proofs.routing``: how often experts get what is theirs, by words alone."""

from collections.abc import Sequence

from tests.proofs.routing.labelled import NONE, experts, messages
from tests.proofs.routing.measuring import (
    GENERALIST,
    Sent,
    confusion,
    figures,
    sent,
)

_COLUMNS = ("messages", "best is right", "decided", "right of these", "nobody's at generalist")
_SCORES = (0.2, 0.3, 0.4, 0.5, 0.6)


def main() -> None:
    """Learn the declared half, send the other one, print."""
    known, kept = experts(messages("declared")), messages("kept")
    usual = sent(known, kept)
    print(f"{'':>12}", *(f"{it:>22}" for it in _COLUMNS))
    _row("all", usual)
    for language in ("en", "de", "es"):
        _row(language, [it for it in usual if it.message.language == language])
    for score in _SCORES:
        _row(f"from {score}", sent(known, kept, score))
    _confusion(usual)


def _row(name: str, those: Sequence[Sent]) -> None:
    found = figures(those)
    shares = (found.best, found.sure, found.right, found.strange)
    print(f"{name:>12} {found.count:>22}", *(f"{it:>22.0%}" for it in shares))


def _confusion(those: Sequence[Sent]) -> None:
    counts = confusion(those)
    names = sorted({wanted for wanted, _ in counts} - {NONE})
    columns = [*names, GENERALIST]
    print(f"\n{'whose / to':>12}", *(f"{it:>10}" for it in columns))
    for wanted in [*names, NONE]:
        print(f"{wanted:>12}", *(f"{counts[wanted, it]:>10}" for it in columns))


if __name__ == "__main__":
    main()
