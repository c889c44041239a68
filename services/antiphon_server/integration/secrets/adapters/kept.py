"""Secrets that the product itself keeps, in the same table and under the same keys."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from antiphon_server.integration.secrets.adapters.sealing import new_key, opened, seal
from antiphon_server.integration.secrets.adapters.sql import SqlSecrets, insert_secret
from antiphon_server.integration.secrets.adapters.tables import secret_keys, secrets
from antiphon_server.integration.secrets.model import MOST_SECRETS, SecretName
from antiphon_server.runtime.errors.domain_error import DomainError, Reason

_OF_PLACE = secrets.c.workspace_id == bindparam("b_place")
_HERE = (_OF_PLACE, secrets.c.name == bindparam("b_name"))
_READ = (
    select(secrets, secret_keys.c.sealed.label("key_sealed"))
    .join(secret_keys, secret_keys.c.key_id == secrets.c.key_id)
    .where(*_HERE)
)
_THERE = select(secrets.c.updated_us).where(*_HERE)
_COUNT = select(func.count()).where(_OF_PLACE)
_CHANGE = update(secrets).where(*_HERE, secrets.c.updated_us == bindparam("b_seen"))
_TAKE = delete(secrets).where(*_HERE)
_PRUNE = delete(secrets).where(_OF_PLACE, secrets.c.updated_us < bindparam("b_before"))


@cache
def _new(dialect_name: str) -> Any:
    """Insert unless another one, who found nothing either, was faster."""
    return insert_secret(dialect_name).on_conflict_do_nothing().returning(secrets.c.name)


class SqlKeptSecrets(SqlSecrets):
    """See :class:`~antiphon_server.integration.secrets.ports.KeptSecrets`.

    A version is the time of the change, or one microsecond after the version before.
    """

    async def read(self, place: str, name: SecretName) -> tuple[str, int] | None:
        at = {"b_place": place, "b_name": name}
        row = await self._database.read(lambda it: it.execute(_READ, at).one_or_none())
        return None if row is None else (self._plain(row), row.updated_us)

    async def replace(self, place: str, name: SecretName, value: str, seen: int) -> int | None:
        data_key, version = new_key(), max(self._now_us(), seen + 1)
        at = {"b_place": place, "b_name": name}

        def store(it: Connection) -> int | None:
            key_id, key = self._newest(it)
            row = {
                "key_id": key_id,
                "wrapped_key": seal(key, data_key, place, name, key_id),
                "sealed": seal(data_key, value.encode(), place, name, "value"),
                "updated_us": version,
            }
            if seen:
                changed = it.execute(_CHANGE.values(row), {**at, "b_seen": seen}).rowcount
                return version if changed else None
            if it.execute(_THERE, at).one_or_none() is not None:
                return None
            if it.execute(_COUNT, at).scalar_one() >= MOST_SECRETS:
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_SECRETS} at once")
            new = {**row, "workspace_id": place, "name": name, "created_us": version}
            stored = it.execute(_new(it.dialect.name), new).one_or_none()
            return None if stored is None else version

        return await self._database.write(store)

    async def take(self, place: str, name: SecretName) -> str | None:
        at = {"b_place": place, "b_name": name}

        def remove(it: Connection) -> Any:
            row = it.execute(_READ, at).one_or_none()
            return row if it.execute(_TAKE, at).rowcount else None

        row = await self._database.write(remove)
        return None if row is None else self._plain(row)

    async def prune(self, place: str, before: int) -> None:
        at = {"b_place": place, "b_before": before}
        await self._database.write(lambda it: it.execute(_PRUNE, at))

    def _plain(self, row: Any) -> str:
        """The value; "" for one that does not open here, which a new one replaces."""
        try:
            plain = opened(self._data_key(row), row.sealed, row.workspace_id, row.name, "value")
        except DomainError:
            return ""
        return "" if plain is None else plain.decode()
