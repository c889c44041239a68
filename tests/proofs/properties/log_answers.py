"""What the log may answer, held against the model, which then knows it too."""

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.runtime.errors import Reason
from tests.proofs.properties.log_model import DAY_S, Known, Log, Position, Said


def account(
    log: Log,
    body: tuple[Said, ...],
    request_id: str,
    token: int,
    answer: pb.AppendResponse | Reason,
    now: float,
    *,
    fences_forgotten: bool,
) -> bool:
    """Whether the append took new places."""
    known = log.requests.get(request_id)
    if known is not None and known.at <= now - DAY_S and _is_new(answer):
        known = None
    if known is not None:
        if known.body != body:
            assert answer is Reason.REQUEST_ID_REUSED, answer
            return False
        assert isinstance(answer, pb.AppendResponse), answer
        assert (answer.first_offset, answer.last_offset) == (known.first, known.last)
        assert answer.duplicate
        return False
    highest = log.tokens.get(body[0].turn, 0)
    if token and token < highest:
        if answer is Reason.FENCED:
            return False
        assert fences_forgotten, "a lower token passed the fence"
    assert isinstance(answer, pb.AppendResponse), answer
    assert not answer.duplicate
    if token:
        log.tokens[body[0].turn] = token
    first, last = log.append(body)
    assert (answer.first_offset, answer.last_offset) == (first, last)
    if request_id:
        log.requests[request_id] = Known(body, now, first, last)
    return True


def check_lost(log: Log, start: Position, reason: Reason) -> None:
    """Hold that the position is gone, for that reason."""
    if start.epoch == log.epoch:
        assert (reason, start.offset + 1 < log.earliest) == (Reason.CURSOR_TRIMMED, True)
    else:
        assert reason is Reason.EPOCH_CHANGED


def _is_new(answer: pb.AppendResponse | Reason) -> bool:
    return isinstance(answer, pb.AppendResponse) and not answer.duplicate


def order(answer: pb.AppendResponse | Reason) -> tuple[int, bool]:
    """Sort in the order of commits; repetitions and refusals after what they repeat."""
    if isinstance(answer, Reason):
        return 1 << 62, True
    return answer.first_offset, answer.duplicate
