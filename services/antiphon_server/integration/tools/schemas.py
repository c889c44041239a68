"""JSON Schema 2020-12 for arguments and results. Nothing is ever fetched for one."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from antiphon_server.integration.tools.model import Definition, Json
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.concurrency.imports import imported
from antiphon_server.runtime.encoding.strict_json import is_writable, loads
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:  # imported where it is first used: it takes its time
    from antiphon_server.integration.tools.checking import Checker

CHECKING = "antiphon_server.integration.tools.checking"
MOST_KEPT = 1_000
_MOST_ERRORS = 20
"""So many are compared for the one that is told."""
_LONGEST_RULE = 200


class Schemas:
    """Checks values; what checks them is made once for each schema."""

    def __init__(self) -> None:
        self._loaded = False
        self._checkers = LruCache[str, "Checker"](MOST_KEPT)

    async def load(self) -> None:
        """Import what checks, before it is first used: that reads many files."""
        if not self._loaded:
            await imported(CHECKING)
            self._loaded = True

    def arguments(self, definition: Definition, text: str) -> dict[str, Json]:
        """Decode a call's arguments. Raises DomainError TOOL_ARGUMENTS_INVALID."""
        try:
            value = loads(text or "{}")
            written = is_writable(value)
        except (ValueError, RecursionError):
            raise _invalid(definition, "$", "it is no JSON") from None
        if not written:
            raise _invalid(definition, "$", "it has half a character")
        if not isinstance(value, dict):
            raise _invalid(definition, "$", "it is no JSON object")
        wrong = self._wrong(definition.input_schema, value)
        if wrong is not None:
            raise _invalid(definition, *wrong)
        return value

    def wrong_result(self, definition: Definition, value: Json) -> tuple[str, str] | None:
        """Where a structured result breaks its schema, and how; None if it does not.

        One that is too large to be checked is taken as it is.
        """
        from antiphon_server.integration.tools.checking import TooManySteps

        if not definition.output_schema:
            return None
        try:
            return self._found(definition.output_schema, value)
        except TooManySteps:
            return None

    def _wrong(self, schema: str, value: Any) -> tuple[str, str] | None:
        from antiphon_server.integration.tools.checking import TooManySteps

        try:
            return self._found(schema, value)
        except TooManySteps:
            return "$", "its schema takes too many steps"

    def _found(self, schema: str, value: Any) -> tuple[str, str] | None:
        from jsonschema.exceptions import best_match

        from antiphon_server.integration.tools.checking import TooManySteps

        try:
            errors = self._checker(schema).errors(value)
            error = best_match(iter(list(islice(errors, _MOST_ERRORS))))
        except TooManySteps:
            raise
        except Exception:  # whatever comes of what is no schema: it is not ours
            return "$", "its schema can't be followed"
        return None if error is None else (error.json_path, error.message[:_LONGEST_RULE])

    def _checker(self, schema: str) -> "Checker":
        from antiphon_server.integration.tools.checking import Checker

        known = self._checkers.get(schema)
        if known is None:
            known = Checker(schema)
            self._checkers.put(schema, known)
        return known


def _invalid(definition: Definition, path: str, rule: str) -> DomainError:
    return DomainError(Reason.TOOL_ARGUMENTS_INVALID, tool=definition.name, path=path, rule=rule)
