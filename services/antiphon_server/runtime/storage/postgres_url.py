"""The URL of a Postgres database, and what a server needs to use one.

Nothing is imported here that needs those packages: SQLAlchemy's asyncio part needs greenlet.
"""

from importlib.util import find_spec
from urllib.parse import urlsplit

from antiphon_server.runtime.configuration import WrongSetting

SCHEMES = ("postgresql://", "postgres://")


def check_postgres_url(url: str) -> None:
    """Raises WrongSetting for what is no URL of Postgres, or without the packages for it."""
    if not url.startswith(SCHEMES):
        raise WrongSetting("database_url: it must begin with postgresql://")
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise WrongSetting(f"database_url: {error}") from error
    if any(find_spec(package) is None for package in ("asyncpg", "greenlet")):
        raise WrongSetting("database_url: needs `pip install antiphon[postgres]`")
