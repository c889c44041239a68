"""`antiphon migrate` in a process that kills itself: ``python -m … DATA_DIR URL DOING ROWS``.

It does so as soon as it says that it is DOING that with so many rows.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from antiphon_server.app.migration import migrate_to_postgres


def main(data_dir: str, url: str, last: str, rows: str) -> None:
    """Run until then."""

    def tell(doing: str, done: int, _total: int) -> None:
        if doing == last and done >= int(rows):
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(migrate_to_postgres(Path(data_dir), url, tell))


if __name__ == "__main__":
    main(*sys.argv[1:])
