"""A Postgres of one installation on one machine, in a folder of its own."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from antiphon_server.runtime.net.ports import HOST, kept_port
from antiphon_server.runtime.process import with_parent
from antiphon_server.runtime.process.child import Child
from antiphon_server.stores.local_store import LocalStore, StoreDidNotStart, begun
from antiphon_server.stores.programs import postgres_programs

USER = "antiphon"
START_S = 60.0
INIT_S = 120.0
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
}


async def start_postgres(folder: Path) -> LocalStore:
    """Run it; it is made at the first start, and then what is in it stays.

    Only who has the password gets in. It commits to disk before it says so, as any other.
    Raises StoresMissing, StoreDidNotStart.
    """
    programs = postgres_programs()
    if not await asyncio.to_thread((folder / "data" / "PG_VERSION").exists):
        await _make(programs, folder)
    store = await asyncio.to_thread(_store, programs, folder)
    state = folder / "data" / "postmaster.pid"
    await begun(store.child, lambda: asyncio.to_thread(_is_ready, state, store.child), START_S)
    return store


def _store(programs: Path, folder: Path) -> LocalStore:
    port, password = kept_port(), (folder / "password").read_text()
    options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
    command = with_parent.command(
        str(programs / "postgres"), "-D", str(folder / "data"), f"-p{port}", *options
    )
    log_file = folder / "postgres.log"
    child = Child("Postgres", _as_nobody(*command), log_file, stop_signal=signal.SIGINT)
    return LocalStore(child, _url(password, port))


def running_postgres(folder: Path) -> str | None:
    """Where the one of this folder listens, with its password; None if it does not run.

    https://www.postgresql.org/docs/current/storage-file-layout.html (postmaster.pid)
    """
    with contextlib.suppress(OSError, ValueError):
        pid, _, _, port, *_ = (folder / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(pid), 0)
        return _url((folder / "password").read_text(), int(port))
    return None


def _url(password: str, port: int) -> str:
    return f"postgresql://{USER}:{password}@{HOST}:{port}/postgres"


async def _make(programs: Path, folder: Path) -> None:
    """Set it up. What is cancelled here ends at once, and is begun anew the next time."""
    command = await asyncio.to_thread(_emptied, programs, folder)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(INIT_S):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise StoreDidNotStart(f"Postgres is not set up after {INIT_S:g} s") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with those that it runs
            await process.communicate()  # which ends when all of them have
    if process.returncode:
        raise StoreDidNotStart(f"Postgres could not be set up: {said.decode().strip()[-500:]}")


def _emptied(programs: Path, folder: Path) -> list[str]:
    """A new password, and no beginning that was not finished; then this command is to be run."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(folder / "data", ignore_errors=True)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(24))
    return _as_nobody(
        *(str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER),
        *("-E", "UTF8", "--locale", "C", "-A", "scram-sha-256", "--pwfile", str(password)),
    )


def _is_ready(state: Path, child: Child) -> bool:
    """Whether it says so, and not one before it that was killed and left its file behind."""
    with contextlib.suppress(OSError):
        pid, _, status = state.read_text().partition("\n")
        return pid.strip() == str(child.pid) and "ready" in status
    return False


def _as_nobody(*command: str) -> list[str]:
    """Postgres refuses to be root's. In a user namespace without a map root is nobody.

    Files stay root's: see user_namespaces(7), "Unmapped user and group IDs".
    """
    if sys.platform == "linux" and os.geteuid() == 0:
        return [shutil.which("unshare") or "unshare", "--user", *command]
    return list(command)
