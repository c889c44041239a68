"""The data folder of one server, before its database is opened: what must not be taken for new."""

from pathlib import Path

from antiphon_server.app.schemas import DATABASE_FILE, MOVED_FILE
from antiphon_server.auth.adapters.secret_files import OPERATOR_FILE
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable
from antiphon_server.runtime.storage.ownership import first_not_ours

_BESIDE = ("", "-wal", "-shm")
"""What SQLite has besides its file, which is one with it."""


def check_own_database(data_dir: Path) -> None:
    """Raises DataDirUnusable where a new database would look as if all was lost.

    That is beside the data of several servers, and where the one that was here is gone. So does
    one that belongs to another user, and one beside the file that a migration has put aside: which
    of the two holds what was said last, nobody can know here.
    """
    database = data_dir / DATABASE_FILE
    if not database.exists():
        check_elsewhere(data_dir)
    elif (data_dir / MOVED_FILE).exists():
        raise DataDirUnusable(
            f"{data_dir} has {DATABASE_FILE} and {MOVED_FILE}, whose data was migrated "
            "to a Postgres: set ANTIPHON_DATABASE_URL to that; or, if this file is to hold it from "
            f"now on, move {MOVED_FILE} away"
        )
    if whose := first_not_ours(database_files(data_dir)):
        raise DataDirUnusable(whose)
    if left := lost_database(data_dir):
        raise DataDirUnusable(_lost(database, left))


def check_elsewhere(data_dir: Path) -> None:
    """Raises DataDirUnusable where the data is in a Postgres, this machine's own or another one."""
    if keeps_postgres(data_dir):
        raise DataDirUnusable(
            f"{data_dir} has the data of several servers, in a Postgres: run `antiphon up --mesh` "
            "with --replicas 2 or more, or choose another --data-dir"
        )
    if (data_dir / MOVED_FILE).exists():
        raise DataDirUnusable(
            f"the data of {data_dir} was migrated to a Postgres: set ANTIPHON_DATABASE_URL to it, "
            f"or choose another --data-dir; {MOVED_FILE} is how it was before"
        )


def keeps_postgres(data_dir: Path) -> bool:
    """Whether the data of several servers is there, on this machine."""
    return (postgres_folder(data_dir) / "data").exists()


def postgres_folder(data_dir: Path) -> Path:
    """Where several servers on this machine have their own Postgres."""
    return data_dir / "postgres"


def database_files(data_dir: Path) -> list[Path]:
    """The database's files, whether they are there or not."""
    return [data_dir / f"{DATABASE_FILE}{end}" for end in _BESIDE]


def lost_database(data_dir: Path) -> Path | None:
    """What says that a database was here that is missing or empty now."""
    database, log, _ = database_files(data_dir)
    if _has_content(database):
        return None
    left = (log, data_dir / OPERATOR_FILE)
    return next(filter(_has_content, left), None)


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _lost(database: Path, left: Path) -> str:
    what = "empty" if database.exists() else "missing"
    return (
        f"{database} is {what}, though {left.name} beside it says that there was one: nothing new "
        "is begun in its place. Put the file back; or restore a backup with `antiphon restore`; or "
        "set ANTIPHON_DATABASE_URL, if the data is in Postgres. To begin anew, remove "
        f"{left}"
    )
