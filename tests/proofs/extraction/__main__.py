"""``python -m tests.proofs.extraction``: how much rules find, and how much of it is so."""

import argparse
from collections.abc import Sequence

from tests.proofs.extraction.labelled import KEPT, KNOWN
from tests.proofs.extraction.measuring import Measured, measured, measured_by_model, together


def main() -> None:
    """Print precision and recall of each conversation, and of each half."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.extraction", description=main.__doc__
    )
    parser.add_argument(
        "--list", action="store_true", help="print what was found and what was missed"
    )
    parser.add_argument("--of", nargs="*", default=[*KNOWN, *KEPT], help="conversations")
    parser.add_argument(
        "--by-model", action="store_true", help="of a scripted model's answers, not of rules"
    )
    arguments = parser.parse_args()
    measure = measured_by_model if arguments.by_model else measured
    print(f"{'':>8}", *(f"{it:>10}" for it in ("labels", "found", "right", "precision", "recall")))
    for half, names in (("known", KNOWN), ("kept", KEPT)):
        those = {it: measure(it) for it in names if it in arguments.of}
        for name, each in those.items():
            _row(name, each)
            if arguments.list:
                _listed(each)
        if those:
            _row(half, together(list(those.values())))


def _row(name: str, those: Measured) -> None:
    counts: Sequence[int] = (
        len(those.right) + len(those.missed),
        len(those.right) + len(those.wrong),
        len(those.right),
    )
    print(
        f"{name:>8}",
        *(f"{it:>10}" for it in counts),
        f"{those.precision:>10.2f}",
        f"{those.recall:>10.2f}",
    )


def _listed(those: Measured) -> None:
    for mark, found in (("+", those.right), ("WRONG", those.wrong)):
        for turn, it in found:
            print(f"    {mark:>6} {turn.turn_id:>5} {it.slot}/{it.hold.value}: {it.text}")
    for label in those.missed:
        print(f"    missed {label.turn_id:>5} {label.slot}: {label.word}")


if __name__ == "__main__":
    main()
