"""``python -m tests.proofs.tokens FOLDER PROGRAMS``: errors of the estimates, by texts.

FOLDER has catalogues of gettext that no rates were made of, PROGRAMS files of Python.
"""

import random
import sys
from pathlib import Path

from antiphon_server.integration.models.adapters.estimates import estimate_of
from tests.proofs.tokens.measuring import error, judged
from tests.proofs.tokens.tokenizers import tokenizers


def main(folder: Path, programs: Path) -> None:
    """Print a row for each kind of text; in percent: mean, p99 of windows, of messages."""
    counts = tokenizers()
    texts = judged(folder, programs, random.Random(2))
    print(f"{'':>16}", *(f"{name:>20}" for name in counts), f"{'any, most under':>20}")
    for kind, some in texts.items():
        chance = random.Random(3)
        found = [error(some, it, estimate_of(name), chance) for name, it in counts.items()]
        cells = [f"{it.bias:+.0%} {it.windows:.1%} {it.messages:.0%}" for it in found]
        large = [it for name, it in counts.items() if name != "smollm2"]
        under = max(error(some, it, estimate_of(""), chance).under for it in large)
        print(f"{kind:>16}", *(f"{it:>20}" for it in cells), f"{under:>20.1%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
