"""Types of the domain in columns of a database."""

from enum import IntEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import Dialect, Integer, String
from sqlalchemy.types import TypeDecorator

from antiphon_server.runtime.access.permissions import Scope

Number = TypeVar("Number", bound=IntEnum)


class EnumNumber(TypeDecorator[Number], Generic[Number]):
    """A value of one of the contract's enums, as its number."""

    impl = Integer
    cache_ok = True

    def __init__(self, kind: type[Number]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Number | None, dialect: Dialect) -> int | None:
        """The number to store."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Number | None:
        """The value that was stored."""
        return None if value is None else self.kind(value)


class ScopeNames(TypeDecorator[frozenset[Scope]]):
    """Scopes by their names, as in a token; NULL for a credential without limits."""

    impl = String(128)
    cache_ok = True

    def process_bind_param(self, value: frozenset[Scope] | None, dialect: Dialect) -> str | None:
        """The names, in their order."""
        return None if value is None else " ".join(sorted(scope.name for scope in value))

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[Scope] | None:
        """The scopes of those names."""
        return None if value is None else frozenset(Scope[name] for name in value.split())
