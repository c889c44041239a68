"""AuditService as clients see it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest

from antiphon.auth.v1 import access_pb2, audit_pb2
from antiphon.auth.v1 import audit_service_pb2 as pb
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.service.hash_chain import chained
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import Reason
from tests.auth.audit_api import AuditApi, audit_api, end_of, rest_of
from tests.auth.world import OPERATOR, error, reason
from tests.e2e.until import SOON_S

OTHER = "user_somebodyelse"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AuditApi]:
    """The service on a port."""
    async with audit_api(tmp_path) as opened:
        yield opened


async def record(api: AuditApi, *user_ids: str) -> None:
    """One event for each account."""
    events = [SecurityEvent(happened.UserEnabled(), user_id) for user_id in user_ids]
    await api.world.recording.security_events.record(*events)


async def exported(api: AuditApi, after: int = 0) -> list[Any]:
    """All answers of an export behind a place."""
    request = pb.ExportSecurityEventsRequest(after_sequence=after)
    return [answer async for answer in api.stream("ExportSecurityEvents", request)]


async def listed(api: AuditApi, token: str = "", **wanted: Any) -> list[Any]:
    """All events that a list has, page by page."""
    request = pb.ListSecurityEventsRequest(page_size=3, filter=pb.SecurityEventFilter(**wanted))
    found: list[Any] = []
    while True:
        page = await api.call("ListSecurityEvents", request, token)
        found.extend(page.events)
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def test_an_operator_lists_all_in_pages(api: AuditApi) -> None:
    """The newest first, each once, with the hashes of the chain."""
    await record(api, *[OTHER] * 10)
    head = (await api.call("GetAuditHead", pb.GetAuditHeadRequest())).head
    events = await listed(api)
    assert [event.sequence for event in events] == list(range(head.sequence, 0, -1))
    assert events[0].hash == head.hash
    assert all(new.previous_hash == old.hash for new, old in itertools.pairwise(events))


async def test_a_user_lists_what_concerns_them(api: AuditApi) -> None:
    """Of their account or done by it; whatever the filter asks for."""
    await record(api, OTHER, api.ann.user_id)
    own = await listed(api, api.token)
    concerned = {event.sequence for event in own}
    assert all(api.ann.user_id in (event.user_id, event.actor[6:]) for event in own)
    assert concerned == {event.sequence for event in await listed(api, user_id=api.ann.user_id)}
    assert await listed(api, api.token, user_id=OTHER) == []
    assert len(await listed(api, user_id=OTHER)) == 1


async def test_a_list_is_filtered(api: AuditApi) -> None:
    """By kind and by time; a page token of another list is refused."""
    await record(api, OTHER, OTHER, OTHER, OTHER)
    kind = audit_pb2.SECURITY_EVENT_KIND_USER_ENABLED
    assert len(await listed(api, kinds=[kind])) == 4
    begin = (await listed(api, kinds=[kind]))[0].create_time
    assert len(await listed(api, kinds=[kind], end_time=begin)) == 0
    page = await api.call("ListSecurityEvents", pb.ListSecurityEventsRequest(page_size=1))
    other = pb.ListSecurityEventsRequest(page_token=page.next_page_token)
    other.filter.user_id = OTHER
    assert await reason(api.call("ListSecurityEvents", other)) is Reason.PAGE_TOKEN_INVALID


async def test_a_page_token_is_of_one_readers_list(api: AuditApi) -> None:
    """What a user and an operator see without a filter are two lists."""
    await record(api, api.ann.user_id)
    request = pb.ListSecurityEventsRequest(page_size=1)
    page = await api.call("ListSecurityEvents", request, api.token)
    request.page_token = page.next_page_token
    await api.call("ListSecurityEvents", request, api.token)
    assert await reason(api.call("ListSecurityEvents", request)) is Reason.PAGE_TOKEN_INVALID


async def test_a_user_is_not_told_where_operators_are(api: AuditApi) -> None:
    """Neither in lists nor in watches; of their own doings they see all, as operators do."""
    watching = pb.WatchSecurityEventsRequest(after_sequence=0)
    begun = api.stream("WatchSecurityEvents", watching, api.token)
    await begun.read()
    happening = SecurityEvent(
        happened.UserEnabled(), api.ann.user_id, "users/user_boss", "sess_boss", "192.0.2.7"
    )
    await api.world.recording.security_events.record(happening)
    (newest, *older) = await listed(api, api.token)
    assert (newest.actor, newest.session_id, newest.address) == ("users/user_boss", "", "")
    assert older[0].session_id
    assert older[0].address
    watched: list[Any] = []
    while not watched or watched[-1].sequence < newest.sequence:
        watched += (await asyncio.wait_for(begun.read(), SOON_S)).events
    begun.cancel()
    assert watched == [*reversed(older), newest]
    (newest, *_) = await listed(api)
    assert (newest.session_id, newest.address) == ("sess_boss", "192.0.2.7")


@pytest.mark.parametrize("method", ["ExportSecurityEvents", "WatchSecurityEvents"])
async def test_a_place_that_is_not_there_is_refused(api: AuditApi, method: str) -> None:
    """A copy of another history is not gone on with."""
    request = getattr(pb, f"{method}Request")(after_sequence=10_000)
    assert await end_of(api.stream(method, request)) is Reason.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["ExportSecurityEvents", "GetAuditHead", "VerifySecurityEvents"])
async def test_what_shows_everything_is_the_operators(api: AuditApi, method: str) -> None:
    """A user neither exports nor verifies, and records nothing; nor does an operator record."""
    request = getattr(pb, f"{method}Request")()
    if method.startswith("Export"):
        assert await end_of(api.stream(method, request, api.token)) is Reason.PERMISSION_DENIED
    else:
        assert await reason(api.call(method, request, api.token)) is Reason.PERMISSION_DENIED
    event = audit_pb2.SecurityEvent(user_enabled=audit_pb2.UserEnabled())
    recording = pb.RecordSecurityEventsRequest(events=[event])
    for token in (api.token, api.boss_token):
        refused = await error(api.call("RecordSecurityEvents", recording, token))
        assert refused.reason is Reason.PERMISSION_DENIED


async def test_another_service_records(api: AuditApi) -> None:
    """What it saw is stored as it says, stamped by the server."""
    service = api.world.tokens.access_tokens.for_service("context")[0]
    event = audit_pb2.SecurityEvent(actor="users/user_admin", user_id=OTHER, address="192.0.2.7")
    event.role_changed.resource, event.role_changed.after = "ws_1", access_pb2.ROLE_MEMBER
    forged = audit_pb2.SecurityEvent(sequence=77, event_id="mine", hash=b"x" * 32)
    forged.user_enabled.SetInParent()
    await api.call(
        "RecordSecurityEvents", pb.RecordSecurityEventsRequest(events=[event, forged]), service
    )
    second, first = (await listed(api))[:2]
    assert (first.actor, first.address) == ("users/user_admin", "192.0.2.7")
    assert first.role_changed == event.role_changed
    assert (second.actor, second.sequence) == ("services/context", first.sequence + 1)
    assert second.event_id.startswith("sec_")
    empty = pb.RecordSecurityEventsRequest(events=[audit_pb2.SecurityEvent()])
    assert await reason(api.call("RecordSecurityEvents", empty, service)) is Reason.INVALID_ARGUMENT


async def test_what_another_service_repeats_is_recorded_once(api: AuditApi) -> None:
    """By its request id, also when it comes many times at once; with other events it is refused."""
    service = api.world.tokens.access_tokens.for_service("context")[0]
    told: list[int] = []
    api.world.recording.security_events.on_event(lambda _, sealed: told.append(sealed.sequence))

    def recording(user_id: str, request_id: str = "out_1") -> pb.RecordSecurityEventsRequest:
        event = audit_pb2.SecurityEvent(user_id=user_id)
        event.role_changed.resource = "ws_1"
        return pb.RecordSecurityEventsRequest(events=[event, event], request_id=request_id)

    calls = (api.call("RecordSecurityEvents", recording(OTHER), service) for _ in range(9))
    await asyncio.gather(*calls)
    assert len(told) == len(await listed(api, user_id=OTHER)) == 2
    refused = await reason(api.call("RecordSecurityEvents", recording("user_eve"), service))
    assert refused is Reason.REQUEST_ID_REUSED
    another = api.world.tokens.access_tokens.for_service("dispatcher")[0]
    for token, request_id in ((another, "out_1"), (service, "out_2"), (service, ""), (service, "")):
        await api.call("RecordSecurityEvents", recording(OTHER, request_id), token)
    assert len(told) == len(await listed(api, user_id=OTHER)) == 10


async def test_a_watch_misses_nothing_and_goes_on_where_it_stopped(api: AuditApi) -> None:
    """Events that are stored, and those that come while it reads, each once and in order."""
    await record(api, *[OTHER] * 450)  # more than two pages
    seen: list[int] = []
    place = 0
    writing = asyncio.create_task(_write_on(api, 100))
    while len(seen) < 550:
        stream = api.stream(
            "WatchSecurityEvents",
            pb.WatchSecurityEventsRequest(
                after_sequence=place, filter=pb.SecurityEventFilter(user_id=OTHER)
            ),
        )
        for _ in range(3):
            answer = await asyncio.wait_for(stream.read(), 30)
            seen.extend(event.sequence for event in answer.events)
            place = answer.progress_sequence
            if len(seen) == 550:
                break
        stream.cancel()
    await writing
    own = [event.sequence for event in reversed(await listed(api, user_id=OTHER))]
    assert seen == own


async def _write_on(api: AuditApi, count: int) -> None:
    for _ in range(count):
        await record(api, OTHER)
        await asyncio.sleep(0.002)


async def test_a_watch_begins_now(api: AuditApi) -> None:
    """Without a place nothing old is sent; a user's watch tells what concerns them."""
    stream = api.stream("WatchSecurityEvents", pb.WatchSecurityEventsRequest(), api.token)
    first = await stream.read()
    assert not first.events
    await record(api, OTHER, api.ann.user_id, OTHER)
    answer = await asyncio.wait_for(stream.read(), 30)
    assert [event.user_id for event in answer.events] == [api.ann.user_id]
    assert answer.progress_sequence == first.progress_sequence + 3
    stream.cancel()


async def test_a_watch_ends_with_its_session(api: AuditApi) -> None:
    """Nothing is told after it."""
    stream = api.stream("WatchSecurityEvents", pb.WatchSecurityEventsRequest(), api.token)
    await stream.read()
    sessions = await api.world.stores.sessions.list_live(api.ann.user_id, 0, None, 9)
    await api.world.accounts.sessions.revoke(OPERATOR, SessionId(sessions[0].session_id))
    began = time.perf_counter()
    await record(api, api.ann.user_id)
    answers, ended = await asyncio.wait_for(rest_of(stream), 30)
    print(f"ended after {(time.perf_counter() - began) * 1000:.0f} ms")
    assert ended is Reason.SESSION_REVOKED
    assert not [event for answer in answers for event in answer.events]


async def test_a_watch_ends_with_its_token(api: AuditApi) -> None:
    """As soon as it has expired, also where nothing happens."""
    stream = api.stream("WatchSecurityEvents", pb.WatchSecurityEventsRequest())
    await stream.read()
    api.world.clock.time += 16 * 60
    assert await asyncio.wait_for(end_of(stream), 30) is Reason.TOKEN_EXPIRED


async def test_watches_are_bounded_and_drained(api: AuditApi) -> None:
    """The ninth of a user is refused, one that ends makes room; at the server's end all end."""
    request = pb.WatchSecurityEventsRequest()
    streams = [api.stream("WatchSecurityEvents", request) for _ in range(8)]
    for stream in streams:
        await stream.read()
    assert await end_of(api.stream("WatchSecurityEvents", request)) is Reason.LIMIT_EXCEEDED
    other = api.stream("WatchSecurityEvents", request, api.token)
    await other.read()
    streams.pop().cancel()
    async with asyncio.timeout(30):
        while True:
            again = api.stream("WatchSecurityEvents", request)
            try:
                assert await again.read() is not grpc.aio.EOF
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.01)
    api.world.auth.trail.watches.drain()
    for stream in [*streams, other, again]:
        assert await end_of(stream) is Reason.DRAINING


async def test_an_export_is_whole_and_signed(api: AuditApi) -> None:
    """Every event as it is stored, then a head that the public keys verify; itself an event."""
    await record(api, *[OTHER] * 450)
    before = (await api.call("GetAuditHead", pb.GetAuditHeadRequest())).head
    answers = await exported(api)
    events = [event for answer in answers for event in answer.events]
    previous = bytes(32)
    for sequence, event in enumerate(events, 1):
        assert audit_pb2.SecurityEvent.FromString(event.body).sequence == sequence
        assert (event.previous_hash, event.hash) == (previous, chained(previous, event.body))
        previous = event.hash
    head = answers[-1].head
    assert (head.sequence, head.hash) == (before.sequence, before.hash) == (len(events), previous)
    assert all(answer.last_sequence == len(events) for answer in answers)
    claims = jwt.decode(
        head.signature,
        jwt.PyJWK({"kty": "OKP", "crv": "Ed25519", "x": head.keys[0].x}),
        algorithms=["EdDSA"],
    )
    assert (claims["sequence"], claims["hash"]) == (len(events), previous.hex())
    newest = (await listed(api))[0]
    assert newest.security_events_exported.last_sequence == len(events)
    assert newest.actor.startswith("users/user_")


async def test_an_export_ends_with_its_right(api: AuditApi) -> None:
    """An operator who is disabled in the middle gets no more events and no signed head."""
    await record(api, *[f"user_{'x' * 240}"] * 2_000)  # more than is on its way at once
    boss = (await api.world.verify(api.boss_token)).user_id
    stream = api.stream("ExportSecurityEvents", pb.ExportSecurityEventsRequest())
    await stream.read()
    await api.world.accounts.sessions.revoke_all(OPERATOR, boss)
    answers, ended = await rest_of(stream)
    assert ended is Reason.SESSION_REVOKED
    assert not any(answer.HasField("head") for answer in answers)


async def test_an_export_outlives_its_token(api: AuditApi) -> None:
    """One that takes longer than a token lives goes on to its end."""
    await record(api, *[f"user_{'x' * 240}"] * 2_000)
    stream = api.stream("ExportSecurityEvents", pb.ExportSecurityEventsRequest())
    await stream.read()
    api.world.clock.time += 16 * 60
    answers: list[Any] = []
    while (answer := await stream.read()) is not grpc.aio.EOF:
        answers.append(answer)
    assert answers[-1].HasField("head")


async def test_an_export_goes_on_behind_a_copy(api: AuditApi) -> None:
    """The first event of the rest is tied to the last of the copy."""
    await record(api, OTHER, OTHER)
    copy = [event for answer in await exported(api) for event in answer.events]
    rest = await exported(api, after=len(copy))
    events = [event for answer in rest for event in answer.events]
    assert events[0].previous_hash == copy[-1].hash
    assert audit_pb2.SecurityEvent.FromString(events[0].body).WhichOneof("detail") == (
        "security_events_exported"
    )


async def test_a_head_is_no_access_token(api: AuditApi) -> None:
    """Both are signed with one key, and neither passes for the other."""
    head = (await api.call("GetAuditHead", pb.GetAuditHeadRequest())).head
    assert await reason(api.world.verify(head.signature)) is Reason.TOKEN_INVALID
    request = pb.VerifySecurityEventsRequest(signature=api.boss_token)
    verdict = await api.call("VerifySecurityEvents", request)
    assert verdict.fault == pb.AUDIT_FAULT_SIGNATURE_INVALID


async def test_the_server_verifies_itself_against_a_kept_head(api: AuditApi) -> None:
    """A head that was kept is passed through; the answer says how many events are proved."""
    kept = (await api.call("GetAuditHead", pb.GetAuditHeadRequest())).head
    await record(api, *[OTHER] * 250)
    request = pb.VerifySecurityEventsRequest(signature=kept.signature)
    verdict = await api.call("VerifySecurityEvents", request)
    assert verdict.fault == pb.AUDIT_FAULT_UNSPECIFIED
    assert verdict.verified == verdict.head.sequence == kept.sequence + 250
