"""What tools say of themselves, in lines, and what has changed in it."""

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from antiphon_server.cli.money import money_in_words

if TYPE_CHECKING:
    from antiphon.integration.v1.tool_pb2 import Tool


def shown(now: "Tool", before: "Tool | None") -> Iterator[str]:
    """The tool's lines; where it was something else before, the difference as `diff -u` has it."""
    if before is None:
        yield from _lines(now)
    else:
        yield from difflib.unified_diff(
            _lines(before), _lines(now), "as it was taken", "as it is now", lineterm=""
        )
    if now.HasField("price"):
        yield f"costs: {money_in_words(now.price)} a call"
    yield f"sha256: {now.definition_sha256.hex()}"


def _lines(it: "Tool") -> Sequence[str]:
    says = [field.name for field, said in it.annotations.ListFields() if said]
    return [
        f"name: {it.name}",
        f"title: {it.title}",
        "description:",
        *_indented(it.description),
        f"says of itself: {', '.join(says)}",
        "takes:",
        *_indented(_spread(it.input_schema_json)),
        "returns:",
        *_indented(_spread(it.output_schema_json)),
    ]


def _indented(text: str) -> Iterator[str]:
    return (f"  {line}" for line in text.split("\n"))


def _spread(schema: str) -> str:
    try:
        return json.dumps(json.loads(schema), indent=2, sort_keys=True) if schema else ""
    except (ValueError, RecursionError):
        return schema
