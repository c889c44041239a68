"""The contract's messages <-> schedules."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from antiphon.context.v1.message_pb2 import Message
from antiphon.dispatcher.v1 import schedule_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.events.v1.event_pb2 import MessagePosted
from antiphon_server.dispatcher.scheduling_room import Words
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.rpc.times import micros_of, timestamp
from antiphon_server.scheduling.due_times import shown
from antiphon_server.scheduling.model import Cron, Missed, Run, Schedule
from antiphon_server.scheduling.planning import coming, conversation_id_of

SAID = ("parts", "type", "metadata", "handler", "models", "time_limit", "new_conversation")
MASKED = (*SAID, "when", "missed", "paused")
MOST_BYTES = 1024 * 1024
DUE_TIME = "{due_time}"
"""What stands in a title for the due time."""
_OURS = ("conversation_id", "workspace_id")
_TITLE, _INSTRUCTIONS, _LABEL = 256, 32 * 1024, 256


def wanted_of(message: pb.Schedule, conversation_id: str, creator: Principal) -> Schedule:
    """One that somebody wants. Raises DomainError INVALID_ARGUMENT."""
    return Schedule(
        message.schedule_id,
        conversation_id,
        workspace_id="",
        creator=creator.actor,
        created_us=0,
        life="",
        body=body_of(message),
        when=when_of(message),
        missed=missed_of(message),
        paused=message.paused,
        api_keys=creator.api_keys,
    )


def body_of(message: pb.Schedule) -> bytes:
    """What a schedule's message says. Raises DomainError INVALID_ARGUMENT: it may be too large."""
    for name in _OURS:
        if getattr(message.new_conversation, name):
            raise invalid(f"schedule.new_conversation.{name}", "must be empty")
    said = pb.Schedule()
    _copy(message, said, SAID)
    body = said.SerializeToString(deterministic=True)
    if len(body) > MOST_BYTES:
        raise invalid("schedule.parts", "a message has at most 1 MiB")
    return body


def message_of(body: bytes) -> bytes:
    """What a body says as a message, as dispatchers have it."""
    said = pb.Schedule.FromString(body)
    message = Message(parts=said.parts, type=said.type, metadata=said.metadata)
    return MessagePosted(message=message).SerializeToString(deterministic=True)


def with_message(body: bytes, message: bytes) -> bytes:
    """The body that says another message."""
    said, left = pb.Schedule.FromString(body), MessagePosted.FromString(message).message
    said.ClearField("parts")
    said.parts.extend(left.parts)
    said.metadata.clear()
    said.metadata.update(left.metadata)
    return said.SerializeToString(deterministic=True)


def words_of(body: bytes) -> Words:
    """Those of the conversations that a body would make."""
    wish = pb.Schedule.FromString(body).new_conversation
    words = [(wish.title, _TITLE), (wish.instructions, _INSTRUCTIONS)]
    keys = sorted(wish.labels)
    words += [(wish.labels[key], _LABEL) for key in keys]
    words += [("".join(f"\n{key}" for key in keys), 0)] if keys else []
    return words if any(said for said, _ in words) else ()


def with_words(body: bytes, words: Sequence[str]) -> bytes:
    """The body with others."""
    said = pb.Schedule.FromString(body)
    wish = said.new_conversation
    wish.title, wish.instructions = words[:2]
    wish.labels.update(zip(sorted(wish.labels), words[2:], strict=False))
    return said.SerializeToString(deterministic=True)


def when_of(message: pb.Schedule) -> int | Cron:
    """When it is due. Raises DomainError INVALID_ARGUMENT."""
    at = micros_of(message, "at")
    return Cron(message.cron.expression, message.cron.time_zone) if at is None else at


def changed(schedule: Schedule, message: pb.Schedule, paths: Collection[str]) -> Schedule:
    """The schedule with the fields of the message that are named."""
    said = pb.Schedule.FromString(schedule.body)
    _copy(message, said, [it for it in SAID if it in paths])
    return replace(
        schedule,
        body=body_of(said),
        when=when_of(message) if "when" in paths else schedule.when,
        missed=missed_of(message) if "missed" in paths else schedule.missed,
        paused=message.paused if "paused" in paths else schedule.paused,
    )


def missed_of(message: pb.Schedule) -> Missed:
    """The policy for what is missed."""
    return Missed(message.missed or Missed.SKIP)


def schedule_message(it: Schedule) -> pb.Schedule:
    """Encode a schedule, as lists have it."""
    message = pb.Schedule.FromString(it.body)
    message.schedule_id, message.conversation_id = it.schedule_id, it.conversation_id
    if isinstance(it.when, Cron):
        message.cron.expression, message.cron.time_zone = it.when.expression, it.when.time_zone
    else:
        message.at.CopyFrom(timestamp(it.when))
    message.missed = pb.MissedPolicy.ValueType(it.missed)
    message.paused, message.creator, message.etag = it.paused, it.creator, it.etag
    message.create_time.CopyFrom(timestamp(it.created_us))
    if it.next_us is not None:
        message.next_time.CopyFrom(timestamp(it.next_us))
    if it.last_us is not None:
        message.last_time.CopyFrom(timestamp(it.last_us))
    message.last_turn_id, message.last_error = it.last_turn_id, it.last_error
    if it.last_turn_id:  # none was noted before runs had conversations of their own
        message.last_conversation_id = it.last_conversation_id or it.conversation_id
    return message


def whole_message(it: Schedule) -> pb.Schedule:
    """Encode a schedule, with the due times that come next."""
    message = schedule_message(it)
    message.coming_times.extend(map(timestamp, coming(it)))
    return message


def run_message(it: Run, conversation_id: str) -> pb.ScheduleRun:
    """Encode a run of a schedule of that conversation."""
    where = (it.conversation_id or conversation_id) if it.turn_id else ""
    return pb.ScheduleRun(
        due_time=timestamp(it.due_us),
        run_time=timestamp(it.run_us),
        outcome=pb.RunOutcome.ValueType(it.outcome),
        turn_id=it.turn_id,
        error=it.error,
        skipped=it.skipped,
        conversation_id=where,
    )


def place_of(schedule: Schedule, turn_id: str, actor: str) -> str:
    """The conversation where somebody's turn of it would be, or is."""
    if not pb.Schedule.FromString(schedule.body).HasField("new_conversation"):
        return schedule.conversation_id
    return conversation_id_of(schedule, turn_id, actor)


def dispatch_of(schedule: Schedule, turn_id: str, due_us: int, actor: str) -> DispatchRequest:
    """The call by which somebody starts its turn."""
    said = pb.Schedule.FromString(schedule.body)
    request = DispatchRequest(
        turn_id=turn_id,
        handler=said.handler,
        parts=said.parts,
        models=said.models,
        type=said.type,
        metadata=said.metadata,
    )
    if said.HasField("time_limit"):
        request.time_limit.CopyFrom(said.time_limit)
    if said.HasField("new_conversation"):
        wish = request.new_conversation
        wish.CopyFrom(said.new_conversation)
        wish.conversation_id = conversation_id_of(schedule, turn_id, actor)
        wish.workspace_id = schedule.workspace_id
        due_time = f"{shown(schedule.when, due_us):%Y-%m-%d %H:%M}"
        wish.title = wish.title.replace(DUE_TIME, due_time)[:_TITLE]
    else:
        request.conversation_id = schedule.conversation_id
    return request


def _copy(source: pb.Schedule, target: pb.Schedule, names: Collection[str]) -> None:
    """Copy fields; those that are unset are unset."""
    one = pb.Schedule()
    for name in names:
        target.ClearField(name)  # type: ignore[arg-type]
    for field, value in source.ListFields():
        if field.name not in names:
            continue
        if field.is_repeated:
            getattr(one, field.name).MergeFrom(value)
        elif field.message_type is not None:
            getattr(one, field.name).CopyFrom(value)
        else:
            setattr(one, field.name, value)
    target.MergeFrom(one)
