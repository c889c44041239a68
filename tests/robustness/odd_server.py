"""``antiphon`` in a world of another time: a clock that jumps, or days of a few seconds.

``python -m tests.robustness.odd_server up …`` takes ``RIG_CLOCK`` (see
:mod:`tests.robustness.clock`) and ``RIG_DAY_S``, the length of a day for retention, which
then looks for old events ten times a day rather than every hour.
"""

import os
from pathlib import Path

from tests.robustness import clock

DAY = "RIG_DAY_S"


def main() -> None:
    """Change what time is, and be the server."""
    if clock.VARIABLE in os.environ:
        clock.obey(Path(os.environ[clock.VARIABLE]))
    if DAY in os.environ:
        _shorten_days(float(os.environ[DAY]))
    from antiphon_server.cli.main import main as antiphon

    antiphon()


def _shorten_days(seconds: float) -> None:
    from antiphon_server import app
    from antiphon_server.context.service import retention

    app.DAY_S = seconds
    retention.EVERY_S = seconds / 10


if __name__ == "__main__":
    main()
