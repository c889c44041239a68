"""What conversations' logs are told of their whiteboards."""

from typing import Any

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon.memory.v1 import whiteboard_pb2
from antiphon_server.memory.whiteboard.model import Change, Whiteboard
from antiphon_server.runtime.encoding.ids import new_id


def told(after: Whiteboard, change: Change) -> dict[str, Any]:
    """The outbox's row of a change: an append."""
    entry_id, section = new_id("out"), change.section
    changed = whiteboard_pb2.WhiteboardChanged(version=after.version, kept=after.kept)
    if section is not None:
        changed.section = section.name
        changed.size_bytes = section.size
        changed.deleted = section.deleted
    event = event_pb2.Event(actor=change.writer, whiteboard_changed=changed)
    request = event_service_pb2.AppendRequest(
        scope=f"conversations/{after.conversation_id}", events=[event], request_id=entry_id
    )
    return {"entry_id": entry_id, "body": request.SerializeToString()}
