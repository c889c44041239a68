"""Requests that keep the contract's rules, made at random from the descriptors."""

import random
import re
import uuid
from typing import Any, cast

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from tests.proofs.wire.pool import Pool

PREFIX = re.compile(r"\b([a-z]+)_\[")
DEEPEST = 6
NAMES = ("w1", "w2", "w3", "f1", "f2")
WORDS = ("hello", "what is the capital of France?", "one two three four five", "ä ö ü ß", "x")
KNOWN = {
    "models": ("scripted/echo", "scripted/echo", "nobody/none"),
    "model": ("scripted/echo", "nobody/none"),
    "handler": ("echo", "echo", "assistant", "", "none"),
}


class Grammar:
    """Makes messages of any type; what they say of the world comes from a pool."""

    def __init__(self, pool: Pool, rng: random.Random) -> None:
        self.pool = pool
        self.rng = rng

    def message(self, kind: type[Message], depth: int = 0) -> Message:
        """A message that mostly keeps the rules."""
        made = kind()
        chosen: dict[str, Any] = {}
        for field in fields_of(made):
            group = field.containing_oneof
            if group is not None and len(group.fields) > 1:
                pick = chosen.setdefault(group.name, self.rng.choice(list(group.fields)))
                if pick is field and self.rng.random() < 0.97:
                    self._fill(made, field, depth)
            elif self._wanted(field, depth):
                self._fill(made, field, depth)
        return made

    def _wanted(self, field: FieldDescriptor, depth: int) -> bool:
        rules = rules_of(field)
        text = rules.string
        optional = rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
        needed = rules.required or text.min_len or text.pattern or rules.repeated.min_items
        if (needed or rules.enum.not_in or rules.int64.HasField("gt")) and not optional:
            return self.rng.random() < 0.98
        return depth < DEEPEST and self.rng.random() < 0.4

    def _fill(self, made: Message, field: FieldDescriptor, depth: int) -> None:
        if field.is_repeated:
            many = self.rng.choice((1, 1, 1, 2, 3))
            if is_map(field):
                return
            getattr(made, field.name).extend(self.value(field, depth) for _ in range(many))
        elif field.message_type is not None:
            getattr(made, field.name).CopyFrom(self.value(field, depth))
        else:
            setattr(made, field.name, self.value(field, depth))

    def value(self, field: FieldDescriptor, depth: int = 0) -> Any:
        """A value for one field, or for one item of a list."""
        kind = FieldDescriptor
        if field.message_type is not None:
            return self._nested(field, depth)
        match field.type:
            case kind.TYPE_STRING:
                return self._text(field)
            case kind.TYPE_BYTES:
                return self.rng.randbytes(8)
            case kind.TYPE_BOOL:
                return self.rng.random() < 0.5
            case kind.TYPE_ENUM:
                return self.rng.choice(_known(field.enum_type).values).number
            case kind.TYPE_DOUBLE | kind.TYPE_FLOAT:
                return self.rng.random()
        return self.rng.choice((0, 1, 2, 3, 10, 100))

    def _nested(self, field: FieldDescriptor, depth: int) -> Message:
        type_ = _known(field.message_type)
        name, made = type_.full_name, message_factory.GetMessageClass(type_)
        if name == "google.protobuf.FieldMask":
            return made(paths=self.rng.sample(self._paths(field), 1))
        if name == "google.protobuf.Duration":
            return made(seconds=self.rng.choice((1, 2, 60)))
        if name == "google.protobuf.Timestamp":
            return made(seconds=self.rng.choice((0, 1, 1_700_000_000, 4_000_000_000)))
        return self.message(made, depth + 1)

    def _paths(self, field: FieldDescriptor) -> list[str]:
        """Paths of the message beside the mask."""
        beside: Any = [it for it in _known(field.containing_type).fields if it is not field]
        return [
            it.name
            for other in beside
            if other.message_type is not None
            for it in other.message_type.fields
        ] or ["none"]

    def _text(self, field: FieldDescriptor) -> str:
        rng, pool, name = self.rng, self.pool, field.name
        rules = rules_of(field)
        rule = rules.repeated.items.string if field.is_repeated else rules.string
        if name in KNOWN:
            return rng.choice(KNOWN[name])
        if "global" in rule.pattern or name == "scope":
            return self._scope()
        if prefixes := PREFIX.findall(
            rule.pattern.replace("(ws|conv)", rng.choice(("ws", "conv")))
        ):
            return pool.an_id(prefixes[0], rng)
        if prefix := ID_FIELDS.get(name):
            return pool.an_id(prefix, rng)
        if rule.uuid:
            return str(
                uuid.UUID(int=rng.randrange(1, 50) if rng.random() < 0.5 else rng.getrandbits(128))
            )
        if "cursor" in name:
            return pool.a_cursor(rng)
        if name == "page_token":
            return pool.a_page(rng)
        if name.endswith(("token", "api_key")):
            return rng.choice([*pool.tokens, "x" * 40])
        if name in ("watch_id", "follow_id", "tag", "request_id"):
            return rng.choice(NAMES)
        word = rng.choice(WORDS)
        return word[: rule.max_len] if rule.max_len else word

    def _scope(self) -> str:
        kinds = {"conversations": "conv", "workspaces": "ws", "users": "user"}
        kind = self.rng.choice(("conversations", "conversations", "workspaces", "users", "global"))
        return kind if kind == "global" else f"{kind}/{self.pool.an_id(kinds[kind], self.rng)}"


ID_FIELDS = {
    "conversation_id": "conv",
    "workspace_id": "ws",
    "turn_id": "turn",
    "user_id": "user",
    "session_id": "sess",
    "key_id": "key",
}


def _known(found: Any) -> Any:
    """What a descriptor of this kind always has."""
    return found


def fields_of(message: Message) -> list[FieldDescriptor]:
    """The fields of a message's type."""
    return list(cast(Any, message.DESCRIPTOR.fields))


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """What the contract asks of a field."""
    found: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return found


def is_map(field: FieldDescriptor) -> bool:
    """Whether a repeated field is a map."""
    kind = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)
