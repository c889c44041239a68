"""What a tool's definition says, as far as its source has chosen the words."""

import json
from collections.abc import Iterator, Sequence

from antiphon_server.integration.tools.model import Definition, Json

NOTHING = "{}"
_NAMES = """
$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema additionalProperties allOf anyOf
const contains contentEncoding contentMediaType default definitions dependentRequired
dependentSchemas deprecated description else enum examples exclusiveMaximum exclusiveMinimum format
if items maxContains maxItems maxLength maxProperties maximum minContains minItems minLength
minProperties minimum multipleOf not oneOf pattern patternProperties prefixItems properties
propertyNames readOnly required then title type unevaluatedItems unevaluatedProperties uniqueItems
writeOnly
"""
_VALUES = """
array boolean date date-time email integer ipv4 ipv6 null number object string time uri uuid
http://json-schema.org/draft-07/schema# https://json-schema.org/draft/2020-12/schema
"""
_OF_ANYBODY = frozenset(_NAMES.split()), frozenset(_VALUES.split())
"""Names and values that schemas are made of: whoever wrote one has not chosen them."""


def wording(it: Definition) -> Sequence[str]:
    """Its title, description and schemas' texts, but not what it is called."""
    schemas = (text for each in (it.input_schema, it.output_schema) for text in _said(each))
    return [it.title, it.description, *schemas]


def _said(schema: str) -> Iterator[str]:
    try:
        yield from _texts(json.loads(schema or NOTHING))
    except (ValueError, RecursionError):
        yield schema


def _texts(value: Json) -> Iterator[str]:
    match value:
        case str() if value not in _OF_ANYBODY[1]:
            yield value
        case bool() | str() | None:
            pass
        case int() | float():
            yield str(value)
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for name, each in value.items():
                if name not in _OF_ANYBODY[0]:
                    yield name
                yield from _texts(each)
