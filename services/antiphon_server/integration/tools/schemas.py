"""JSON Schema 2020-12 for arguments and results. Nothing is ever fetched for one."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from antiphon_server.integration.tools.model import Definition, Json
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:  # imported where it is first used: it takes its time
    from jsonschema import Draft202012Validator

MOST_KEPT = 1_000
_LONGEST_RULE = 200


class Schemas:
    """Checks values; validators are made once for each schema."""

    def __init__(self) -> None:
        self._loaded = False
        self._validators = LruCache[str, "Draft202012Validator"](MOST_KEPT)

    async def load(self) -> None:
        """Import what checks, before it is first used: that reads many files."""
        if not self._loaded:
            await asyncio.to_thread(_load)
            self._loaded = True

    def arguments(self, definition: Definition, text: str) -> dict[str, Json]:
        """Decode a call's arguments. Raises DomainError TOOL_ARGUMENTS_INVALID."""
        try:
            value = json.loads(text or "{}")
        except (ValueError, RecursionError):
            raise _invalid(definition, "$", "it is no JSON") from None
        if not isinstance(value, dict):
            raise _invalid(definition, "$", "it is no JSON object")
        wrong = self._wrong(definition.input_schema, value)
        if wrong is not None:
            raise _invalid(definition, *wrong)
        return value

    def wrong_result(self, definition: Definition, value: Json) -> tuple[str, str] | None:
        """Where a structured result breaks its schema, and how; None if it does not."""
        if not definition.output_schema:
            return None
        return self._wrong(definition.output_schema, value)

    def _wrong(self, schema: str, value: Any) -> tuple[str, str] | None:
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        try:
            error = best_match(self._validator(schema).iter_errors(value))
        except (Unresolvable, RecursionError):
            return "$", "its schema can't be followed"
        return None if error is None else (error.json_path, error.message[:_LONGEST_RULE])

    def _validator(self, schema: str) -> "Draft202012Validator":
        known = self._validators.get(schema)
        if known is None:
            from jsonschema import Draft202012Validator
            from referencing import Registry

            known = Draft202012Validator(json.loads(schema), registry=Registry())
            self._validators.put(schema, known)
        return known


def _load() -> None:
    """Import all of it."""
    from jsonschema import Draft202012Validator

    Draft202012Validator({}).is_valid({})


def _invalid(definition: Definition, path: str, rule: str) -> DomainError:
    return DomainError(Reason.TOOL_ARGUMENTS_INVALID, tool=definition.name, path=path, rule=rule)
