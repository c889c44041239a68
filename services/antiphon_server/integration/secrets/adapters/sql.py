"""Secrets in a SQL database."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update

from antiphon.auth.v1 import audit_pb2
from antiphon_server.integration.secrets.adapters.sealing import new_key, opened, seal
from antiphon_server.integration.secrets.adapters.tables import secret_keys, secrets
from antiphon_server.integration.secrets.model import MOST_SECRETS, Secret, SecretName
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.access.server_secret import ServerSecret
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors.domain_error import DomainError, Reason, not_found
from antiphon_server.runtime.storage.database import Database

BATCH = 100
_HERE = (
    secrets.c.workspace_id == bindparam("b_workspace_id"),
    secrets.c.name == bindparam("b_name"),
)
_KEY = secret_keys.c.sealed.label("key_sealed")
_ONE = select(secrets, _KEY).join(secret_keys, secret_keys.c.key_id == secrets.c.key_id)
_READ = _ONE.where(*_HERE)
_TIMES = select(secrets.c.created_us).where(*_HERE)
_COUNT = select(func.count()).where(secrets.c.workspace_id == bindparam("b_workspace_id"))
_LISTED = (
    select(secrets.c.name, secrets.c.created_us, secrets.c.updated_us)
    .where(secrets.c.workspace_id == bindparam("b_workspace_id"))
    .where(secrets.c.name > bindparam("b_after"))
    .order_by(secrets.c.name)
    .limit(bindparam("b_limit"))
)
_DELETE = delete(secrets).where(*_HERE)
# Who stores waits for whoever else stores, and who removes keys for both: so no row is left
# without its key. An embedded database has one writer anyway.
_NEWEST = (
    select(secret_keys)
    .order_by(secret_keys.c.created_us.desc(), secret_keys.c.key_id.desc())
    .limit(1)
    .with_for_update()
)
_OLDER = (
    _ONE.where(secret_keys.c.created_us < bindparam("b_before"))
    .where(
        tuple_(secrets.c.workspace_id, secrets.c.name)
        > tuple_(bindparam("b_workspace_id"), bindparam("b_name"))
    )
    .order_by(secrets.c.workspace_id, secrets.c.name)
    .limit(BATCH)
)
_REWRAP = (
    update(secrets)
    .where(*_HERE, secrets.c.wrapped_key == bindparam("b_wrapped"))
    .values(key_id=bindparam("b_key_id"), wrapped_key=bindparam("b_anew"))
)
_OLDER_KEYS = secret_keys.c.created_us < bindparam("b_before")
_HOLD = select(secret_keys.c.key_id).where(_OLDER_KEYS).with_for_update()
_UNUSED = (
    delete(secret_keys)
    .where(_OLDER_KEYS)
    .where(~select(secrets.c.key_id).where(secrets.c.key_id == secret_keys.c.key_id).exists())
)


def _now_us() -> int:
    return time.time_ns() // 1000


def insert_secret(dialect_name: str) -> Any:
    """An insert that may say what becomes of it beside another. Only that dialect is imported."""
    return import_module(f"sqlalchemy.dialects.{dialect_name}").insert(secrets)


@cache
def _put(dialect_name: str) -> Any:
    """Insert, or put in the place of what is there: two who store at once may both find nothing."""
    new = insert_secret(dialect_name)
    names = ("key_id", "wrapped_key", "sealed", "updated_us")
    anew = {name: new.excluded[name] for name in names}
    return new.on_conflict_do_update(index_elements=["workspace_id", "name"], set_=anew)


class SqlSecrets:
    """A :class:`~antiphon_server.integration.secrets.ports.SecretStore` in a SQL database."""

    def __init__(
        self, database: Database, secret: ServerSecret, now_us: Callable[[], int] = _now_us
    ) -> None:
        self._database, self._secret, self._now_us = database, secret, now_us

    async def value(self, workspace_id: str, name: SecretName) -> str:
        at = _at(workspace_id, name)
        row = await self._database.read(lambda it: it.execute(_READ, at).one_or_none())
        if row is None:
            raise not_found(f"secret {name}")
        plain = opened(self._data_key(row), row.sealed, workspace_id, name, "value")
        if plain is None:
            raise _not_ours(name)
        return plain.decode()

    async def put(self, workspace_id: str, name: SecretName, value: str) -> Secret:
        data_key, now = new_key(), self._now_us()
        sealed = seal(data_key, value.encode(), workspace_id, name, "value")
        at, by, resource = _at(workspace_id, name), Author(), resource_of(workspace_id)

        def store(connection: Connection) -> Secret:
            key_id, key = self._newest(connection)
            created = connection.execute(_TIMES, at).scalar_one_or_none()
            if created is None and connection.execute(_COUNT, at).scalar_one() >= MOST_SECRETS:
                raise DomainError(
                    Reason.LIMIT_EXCEEDED, limit=f"{MOST_SECRETS} secrets a workspace"
                )
            row = {"workspace_id": workspace_id, "name": name, "key_id": key_id, "sealed": sealed}
            row["wrapped_key"] = seal(key, data_key, workspace_id, name, key_id)
            since = now if created is None else created
            anew = {**row, "created_us": since, "updated_us": now}
            connection.execute(_put(connection.dialect.name), anew)
            event = audit_pb2.SecretStored(resource=resource, name=name, replaced=bool(created))
            by.note(connection, secret_stored=event)
            return Secret(name, since, now)

        return await self._database.write(store)

    async def listed(self, workspace_id: str, after: str, limit: int) -> Sequence[Secret]:
        at = {"b_workspace_id": workspace_id, "b_after": after, "b_limit": limit}
        return await self._database.read(
            lambda it: [Secret(SecretName(n), c, u) for n, c, u in it.execute(_LISTED, at)]
        )

    async def delete(self, workspace_id: str, name: SecretName) -> None:
        at, by = _at(workspace_id, name), Author()
        event = audit_pb2.SecretDeleted(resource=resource_of(workspace_id), name=name)

        def remove(connection: Connection) -> None:
            if connection.execute(_DELETE, at).rowcount:
                by.note(connection, secret_deleted=event)

        await self._database.write(remove)

    async def rotate(self) -> int:
        key = await self._database.write(partial(self._begin_rotation, Author()))
        count, last = 0, ("", "")
        while rows := await self._database.write(partial(self._rewrap, after=last, key=key)):
            count, last = count + sum(rows.values()), next(reversed(rows))
        await self._database.write(lambda it: _remove_unused(it, {"b_before": key[2]}))
        return count

    def _begin_rotation(self, by: Author, connection: Connection) -> tuple[str, bytes, int]:
        key = self._add_key(connection)
        by.note(connection, secret_keys_rotated=audit_pb2.SecretKeysRotated(key_id=key[0]))
        return key

    def _newest(self, connection: Connection) -> tuple[str, bytes]:
        """The key that wraps; a new one where there is none that opens here."""
        row = connection.execute(_NEWEST).one_or_none()
        key = None if row is None else self._secret.open(row.sealed, _purpose(row.key_id))
        if row is None or key is None:
            return self._add_key(connection)[:2]
        return row.key_id, key

    def _add_key(self, connection: Connection) -> tuple[str, bytes, int]:
        key_id, key = new_id("skey"), new_key()
        newest = connection.execute(select(func.max(secret_keys.c.created_us))).scalar_one()
        created = max(self._now_us(), (newest or 0) + 1)
        sealed = self._secret.seal(key, _purpose(key_id))
        row = {"key_id": key_id, "sealed": sealed, "created_us": created}
        connection.execute(insert(secret_keys), row)
        return key_id, key, created

    def _rewrap(
        self, connection: Connection, after: tuple[str, str], key: tuple[str, bytes, int]
    ) -> dict[tuple[str, str], bool]:
        """Wrap a batch behind ``after``; which were, in order. What does not open here stays."""
        done: dict[tuple[str, str], bool] = {}
        for row in connection.execute(_OLDER, {"b_before": key[2], **_at(*after)}).all():
            at = (row.workspace_id, row.name)
            try:
                anew = seal(key[1], self._data_key(row), *at, key[0])
            except DomainError:
                done[at] = False
                continue
            read = {"b_key_id": key[0], "b_wrapped": row.wrapped_key, "b_anew": anew}
            connection.execute(_REWRAP, {**_at(*at), **read})
            done[at] = True
        return done

    def _data_key(self, row: Row[Any]) -> bytes:
        key = self._open(row.key_id, row.key_sealed)
        found = opened(key, row.wrapped_key, row.workspace_id, row.name, row.key_id)
        if found is None:
            raise _not_ours(row.name)
        return found

    def _open(self, key_id: str, sealed: bytes) -> bytes:
        key = self._secret.open(sealed, _purpose(key_id))
        if key is None:
            raise _not_ours(key_id)
        return key


def _at(workspace_id: str, name: str) -> dict[str, Any]:
    return {"b_workspace_id": workspace_id, "b_name": name}


def _remove_unused(connection: Connection, older: Mapping[str, int]) -> None:
    """Remove keys that wrap nothing; whoever is about to use one is waited for first."""
    connection.execute(_HOLD, older).all()
    connection.execute(_UNUSED, older)


def _purpose(key_id: str) -> str:
    return f"key of secrets {key_id}"


def _not_ours(what: str) -> DomainError:
    """It was sealed with another installation's secret, or about something else."""
    return not_found(f"secret {what} that opens here; store it anew")
