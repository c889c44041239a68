"""Requests and their answers in a database."""

from dataclasses import asdict
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from antiphon_server.auth.adapters.account_tables import requests
from antiphon_server.auth.model import DAY
from antiphon_server.auth.model.requests import Answer, Repeated, Request
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

_THIS = (
    requests.c.principal == bindparam("whose"),
    requests.c.request_id == bindparam("which"),
)
_FIND = select(requests.c.digest, requests.c.response).where(
    *_THIS, requests.c.create_time > bindparam("since")
)
_FORGET = delete(requests).where(*_THIS, requests.c.create_time <= bindparam("since"))


@cache
def _add(dialect_name: str) -> Any:
    """Insert unless there is one. Only the dialect in use is imported."""
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    return dialect.insert(requests).on_conflict_do_nothing().returning(requests.c.request_id)


class SqlRequests:
    """A :class:`~antiphon_server.auth.ports.requests.RequestStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def response(self, request: Request) -> bytes | None:
        return await self._database.read(lambda connection: _response(connection, request))


def check(connection: Connection, answer: Answer | None) -> None:
    """Raise Repeated, or DomainError REQUEST_ID_REUSED, if its request was answered before.

    For what would be refused when it was done; what is done by two at once has a lock before.
    """
    if answer and (response := _response(connection, answer.request)) is not None:
        raise Repeated(response)


def remember(connection: Connection, answer: Answer | None) -> None:
    """Note the answer to a request, in the transaction that does what it asks.

    Raises Repeated, DomainError REQUEST_ID_REUSED.
    """
    if answer is None:
        return
    request = answer.request
    connection.execute(_FORGET, _key(request))
    row = asdict(request) | {"response": answer.response}
    if connection.execute(_add(connection.dialect.name), row).first():
        return
    response = _response(connection, request)
    if response is not None:
        raise Repeated(response)


def _response(connection: Connection, request: Request) -> bytes | None:
    row = connection.execute(_FIND, _key(request)).one_or_none()
    if row is None:
        return None
    if row.digest != request.digest:
        raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request.request_id)
    found: bytes = row.response
    return found


def _key(request: Request) -> dict[str, object]:
    since = request.create_time - DAY
    return {"whose": request.principal, "which": request.request_id, "since": since}
