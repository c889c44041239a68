"""``antiphon migrate``."""

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon_server.cli.console import aside, say
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.start import start

if TYPE_CHECKING:
    from antiphon_server.settings import Settings

_EVERY_S = 5.0
_HERE = "Start the servers with `antiphon up --mesh --replicas 2{folder}`."
_THERE = (
    "Start a server with ANTIPHON_DATABASE_URL set; with this folder it keeps its secret and its "
    "operator's key. Others have folders of their own, and the same ANTIPHON_SECRET_KEY_FILE: "
    "{secret}, unless another is set."
)


def migrate(data_dir: DataDir = None) -> None:
    """Take one server's data from SQLite to the Postgres of several.

    The server must not run. ANTIPHON_DATABASE_URL names an empty database; without it the data goes
    to the Postgres that `antiphon up --mesh --replicas 2` runs on this machine. All events keep
    their places, so clients go on where they were. What was interrupted goes on when it is run
    again, and until all is there and compared no server uses it. The file stays, under another
    name.

    For example:

    - `antiphon migrate && antiphon up --mesh --replicas 2`
    - `ANTIPHON_DATABASE_URL=postgresql://… antiphon migrate`
    """
    start({"data_dir": data_dir} if data_dir else {}, _work, quiet=True)


@contextlib.contextmanager
def _work(settings: "Settings") -> Iterator[Coroutine[Any, Any, None]]:
    with _display() as tell:
        yield _migrate(settings, tell)


async def _migrate(settings: "Settings", tell: Callable[[str, int, int], None]) -> None:
    from antiphon_server.app.migration import migrate_to_postgres
    from antiphon_server.app.schemas import MOVED_FILE
    from antiphon_server.auth.adapters.server_secret import SECRET_FILE
    from antiphon_server.settings import default_data_dir

    folder = settings.data_dir
    url = settings.database_url.reveal() if settings.database_url else None
    rows = await migrate_to_postgres(folder, url, tell)
    where = urlsplit(url).netloc.rpartition("@")[2] if url else f"{folder / 'postgres'}"
    say(f"All {rows:,} rows are in Postgres ({where}), and the same as here.")
    say(f"{folder / MOVED_FILE} is how it was: remove it when you don't need it any more.")
    if url:
        say(_THERE.format(secret=folder / SECRET_FILE))
    else:
        named = "" if folder == default_data_dir() else f" --data-dir {shlex.quote(str(folder))}"
        say(_HERE.format(folder=named))


@contextlib.contextmanager
def _display() -> Iterator[Callable[[str, int, int], None]]:
    """Says how far it is: in a terminal in a line each, else a line now and then."""
    if not sys.stderr.isatty():
        yield Pace()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    speed = TextColumn("{task.fields[speed]}")
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), "rows", speed, Remaining())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, Any] = {}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=total, completed=done, speed="")
            rate = progress.tasks[tasks[doing]].speed
            speed = f"{rate:,.0f}/s" if rate else ""
            progress.update(tasks[doing], completed=done, speed=speed)

        yield show


class Pace:
    """Says in lines how far something is, how fast, and how long it will take still."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._doing = ""
        self._said = 0.0

    def __call__(self, doing: str, done: int, total: int) -> None:
        """``done`` rows of ``total`` are over."""
        now = self._clock()
        if doing != self._doing:
            self._doing, self._began, self._first = doing, now, done
        elif now - self._said < _EVERY_S and done < total:
            return
        self._said = now
        share = f"{done:,} of {total:,} rows"
        rate = (done - self._first) / (now - self._began) if now > self._began else 0.0
        if rate and done < total:
            share += f", {rate:,.0f} rows/s, {(total - done) / rate:,.0f} s left"
        aside(f"{doing}: {share}")
