"""The server with a defect, or the long form: ``python -m tests.proofs.robustness.mutation``.

With the variable DEFECT it is the server's command line with that defect planted. Without,
every defect is tried, or those that are named, and a control without any.
"""

import os
import sys

VARIABLE = "DEFECT"


def main() -> int:
    """See above; 1 if a defect was not caught, or the control was not clean."""
    name = os.environ.get(VARIABLE)
    if name is None:
        from tests.proofs.robustness.mutation.trials import main as try_all

        return try_all()
    from antiphon_server.cli.program import main as serve
    from tests.proofs.robustness.mutation.defects import plant

    if name:
        plant(name)
    serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
