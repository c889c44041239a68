"""``antiphon`` in a world of another time: a clock that jumps, short days, little patience.

``python -m tests.proofs.robustness.odd_server up …`` takes ``RIG_CLOCK`` (see
:mod:`tests.proofs.robustness.clock`) and ``RIG_DAY_S``, the length of a day for retention, which
then looks for old events ten times a day rather than every hour, and ``RIG_PATIENCE_S``, how
long a client may read nothing; ``DEFECT`` is one of
:mod:`tests.proofs.robustness.mutation.defects`.
"""

import os
import sys
from functools import partial
from pathlib import Path

from tests.proofs.robustness import clock
from tests.proofs.robustness.mutation.__main__ import VARIABLE

DAY, PATIENCE = "RIG_DAY_S", "RIG_PATIENCE_S"
COMMAND = (sys.executable, "-m", "tests.proofs.robustness.odd_server")


def main() -> None:
    """Change what time is, and be the server."""
    if clock.VARIABLE in os.environ:
        clock.obey(Path(os.environ[clock.VARIABLE]))
    if defect := os.environ.get(VARIABLE):
        from tests.proofs.robustness.mutation.defects import plant

        plant(defect)
    if DAY in os.environ:
        _shorten_days(float(os.environ[DAY]))
    if PATIENCE in os.environ:
        _shorten_patience(float(os.environ[PATIENCE]))
    from antiphon_server.cli.program import main as antiphon

    antiphon()


def _shorten_days(seconds: float) -> None:
    from antiphon_server.context import compose
    from antiphon_server.context.service import retention

    compose.DAY_S = seconds
    retention.EVERY_S = seconds / 10


def _shorten_patience(seconds: float) -> None:
    from antiphon_server.dispatcher import conversing
    from antiphon_server.events import compose
    from antiphon_server.events.servicer import EventServicer
    from antiphon_server.runtime.rpc.slow_readers import TimedWriter

    short = partial(TimedWriter, within_s=seconds)
    setattr(conversing, "TimedWriter", short)  # noqa: B010 - mypy knows a class there
    events = partial(EventServicer, read_within_s=seconds)
    setattr(compose, "EventServicer", events)  # noqa: B010 - as above


if __name__ == "__main__":
    main()
