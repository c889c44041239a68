"""The contract's Recall <-> memory's own types."""

from collections.abc import Mapping

from antiphon.memory.v1 import search_service_pb2 as pb
from antiphon_server.memory.encoding.external import answered_value
from antiphon_server.memory.encoding.memories import memory_message
from antiphon_server.memory.encoding.search import (
    DEFAULT_HITS,
    MOST_HITS,
    hit_message,
)
from antiphon_server.memory.model import MessageHit, RecallWish
from antiphon_server.memory.search.recalled import Recalled
from antiphon_server.memory.search.recalling import Recollection
from antiphon_server.runtime.rpc.paging import page_limit
from antiphon_server.runtime.rpc.times import micros_of

_KINDS: Mapping[int, str] = {
    pb.RECALLED_KIND_MESSAGE: "message",
    pb.RECALLED_KIND_FACT: "fact",
    pb.RECALLED_KIND_PREFERENCE: "preference",
    pb.RECALLED_KIND_EVENT: "event",
    pb.RECALLED_KIND_NOTE: "note",
}


def wish_of(request: pb.RecallRequest) -> RecallWish:
    """What is looked for."""
    return RecallWish(
        request.query,
        page_limit(request.limit, default=DEFAULT_HITS, most=MOST_HITS),
        request.max_tokens,
        list(request.scopes),
        frozenset(_KINDS[it] for it in request.kinds),
        frozenset(request.people),
        micros_of(request, "not_before") or 0,
        micros_of(request, "before") or 0,
        request.user_id,
    )


def response_of(found: Recollection) -> pb.RecallResponse:
    """What was recalled."""
    return pb.RecallResponse(
        recalled=map(_recalled, found.recalled),
        tokens=sum(it.tokens for it in found.recalled),
        left_out=found.left_out,
        searched_conversations=found.searched,
        pending_conversations=found.pending,
        omitted_conversations=found.more,
        external_memory=answered_value(found.external),
    )


def _recalled(it: Recalled) -> pb.Recalled:
    message = pb.Recalled(score=it.score, parts=it.parts, reason=it.reason, tokens=it.tokens)
    if isinstance(it.item, MessageHit):
        message.message.CopyFrom(hit_message(it.item))
    else:
        message.memory.CopyFrom(memory_message(it.item))
    return message
