"""Requests made from the rules in the contracts: the smallest that are valid."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import re2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from antiphon.integration.v1.budget_pb2 import BUDGET_SCOPE_WORKSPACE
from buf.validate import validate_pb2

Ids = Mapping[str, str]
"""The ids to use, by their prefixes: ``{"conv": "conv_…"}``."""

SAMPLE = "sample-000001"
"""What stands in fields that may hold any text."""
# What the contract says in words alone.
SAMPLES: Mapping[str, Any] = {
    "antiphon.integration.v1.Budget.scope": BUDGET_SCOPE_WORKSPACE,  # any other needs more
    "antiphon.dispatcher.v1.Cron.expression": "0 0 1 1 *",
    "antiphon.integration.v1.Money.currency": "USD",
    "antiphon.auth.v1.ExplainAccessRequest.rpc": "WhoAmI",
    "antiphon.integration.v1.McpTarget.url": "https://sample.example/mcp",
    "antiphon.integration.v1.HttpRequest.method": "GET",
    "antiphon.integration.v1.HttpRequest.path": "/sample",
    "antiphon.dispatcher.v1.Webhook.url": "https://sample.example/hook",
    "antiphon.integration.v1.OpenApiTarget.url": "https://sample.example/openapi.json",
}
NEEDED = {
    "antiphon.memory.v1.Entity.name",
    "antiphon.memory.v1.Entity.type",
    "antiphon.memory.v1.Memory.kind",
    "antiphon.memory.v1.Memory.text",
    "antiphon.memory.v1.PruningRule.older_than",
    "antiphon.context.v1.Workspace.display_name",
    "antiphon.integration.v1.Money.currency",
}
MASKS = {
    "UpdateConversationRequest": "title",
    "UpdateConnectionRequest": "title",
    "UpdateEntityRequest": "name",
    "UpdateMemoryRequest": "text",
    "UpdateProfileRequest": "locale",
    "UpdateScheduleRequest": "missed",
    "UpdateUserRequest": "display_name",
    "UpdateWebhookRequest": "description",
    "UpdateWorkspaceRequest": "display_name",
}


def smallest(kind: type[Message], ids: Ids, resource: str = "") -> Message:
    """The smallest request that keeps the contract's rules and names a resource.

    ``resource`` is the path of the field that names it, as in the RPC's access option.
    """
    request = kind()
    first, _, rest = resource.partition(".")
    chosen: set[str] = set()
    fields: Sequence[Any] = request.DESCRIPTOR.fields
    for field in fields:
        group = field.containing_oneof
        if group is not None and len(group.fields) > 1:
            if group.name not in chosen and _is_required(group):
                chosen.add(group.name)
                _fill(request, field, ids, "")
        elif field.name == first or field.name in _first_of_each(request) or _is_needed(field):
            _fill(request, field, ids, rest if field.name == first else "")
    return request


def _first_of_each(request: Message) -> set[str]:
    """The first field of each group of which the message's rules ask for one."""
    rules = request.DESCRIPTOR.GetOptions().Extensions[validate_pb2.message]
    return {group.fields[0] for group in rules.oneof if group.required}


def _is_required(group: Any) -> bool:
    return bool(group.GetOptions().Extensions[validate_pb2.oneof].required)


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    found: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return found


def _is_needed(field: FieldDescriptor) -> bool:
    rules = _rules(field)
    if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return False
    text = rules.string
    least = text.min_len or rules.repeated.min_items or rules.bytes.len
    least = least or rules.int64.HasField("gt") or rules.int32.HasField("gt")
    least = least or rules.int32.gte > 0
    needed = rules.required or field.full_name in NEEDED
    # What may be empty is left so, unless it is an id: then there is more to be said of the call.
    is_free = re2.search(text.pattern, "") is not None and "_[" not in text.pattern
    pattern = text.pattern and not is_free
    return bool(needed or pattern or text.uri or least or rules.enum.not_in)


def _fill(request: Message, field: FieldDescriptor, ids: Ids, resource: str) -> None:
    value = _value(field, ids, resource)
    if field.is_repeated:
        getattr(request, field.name).extend([value])
    elif isinstance(value, Message):
        getattr(request, field.name).CopyFrom(value)
    else:
        setattr(request, field.name, value)


def _value(field: FieldDescriptor, ids: Ids, resource: str) -> Any:
    if field.message_type is not None and field.message_type.name == "FieldMask":
        return FieldMask(paths=[MASKS[str(field.full_name).split(".")[-2]]])
    if field.message_type is not None and field.message_type.name == "Duration":
        return _rules(field).duration.gte
    if field.message_type is not None:
        return smallest(message_factory.GetMessageClass(field.message_type), ids, resource)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(field, ids)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes(_rules(field).bytes.len)
    return SAMPLES.get(str(field.full_name), 1)


def _text(field: FieldDescriptor, ids: Ids) -> str:
    """An id whose kind the pattern, or else the field's name, tells."""
    pattern = _rules(field).string.pattern
    if "conversations/" in pattern:
        return f"conversations/{ids['conv']}"
    names = {"conversation_id": "conv", "workspace_id": "ws"}
    for prefix, value in ids.items():
        if re.search(rf"\b{prefix}[_|)]", pattern) or names.get(field.name) == prefix:
            return value
    return str(SAMPLES.get(str(field.full_name), SAMPLE))
