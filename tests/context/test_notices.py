"""Notices: published, in force for a while, withdrawn, told in everybody's log."""

import uuid

from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1 import notice_service_pb2 as pb
from antiphon.context.v1.notice_pb2 import Notice
from antiphon_server.context.service.notices import DAY_S, IN_FORCE, KEPT_S
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, OPERATOR
from tests.context.world import World, pages
from tests.e2e.refusals import Refused


async def publish(world: World, text: str, live_s: int = 0, request_id: str = "") -> Notice:
    request = pb.PublishNoticeRequest(text=text, request_id=request_id)
    if live_s:
        request.time_to_live.CopyFrom(Duration(seconds=live_s))
    return (await world.notices(OPERATOR).PublishNotice(request)).notice


async def listed(world: World, user: str, **fields: object) -> list[str]:
    request = pb.ListNoticesRequest(**fields)  # type: ignore[arg-type]
    found = await pages(world.notices(user).ListNotices, request)
    return [one.text for page in found for one in page.notices]


async def test_everybody_reads_what_operators_publish(world: World) -> None:
    """Until it expires: after a day, unless it says when; the newest first, by pages."""
    short = await publish(world, "short\x1b[2J", 60)
    await publish(world, "a day")
    assert short.text == "short [2J"
    assert short.expire_time.seconds - short.publish_time.seconds == 60
    assert await listed(world, BOB, page_size=1) == ["a day", "short [2J"]
    world.clock.now += 60
    assert await listed(world, BOB) == ["a day"]
    world.clock.now += DAY_S
    assert await listed(world, BOB) == []
    assert await listed(world, BOB, show_ended=True) == ["a day", "short [2J"]
    with Refused(Reason.PERMISSION_DENIED):
        await world.notices(ANN).PublishNotice(pb.PublishNoticeRequest(text="me too"))


async def test_a_withdrawn_notice_is_over(world: World) -> None:
    """Once: a repetition, and one after it has expired, changes nothing."""
    notice = await publish(world, "soon")
    request = pb.WithdrawNoticeRequest(notice_id=notice.notice_id)
    with Refused(Reason.PERMISSION_DENIED):
        await world.notices(ANN).WithdrawNotice(request)
    over = (await world.notices(OPERATOR).WithdrawNotice(request)).notice
    assert over.HasField("withdraw_time")
    assert (await world.notices(OPERATOR).WithdrawNotice(request)).notice == over
    assert await listed(world, ANN) == []
    expired = await publish(world, "short", 1)
    world.clock.now += 2
    request = pb.WithdrawNoticeRequest(notice_id=expired.notice_id)
    assert (await world.notices(OPERATOR).WithdrawNotice(request)).notice == expired
    with Refused(Reason.NOT_FOUND):
        unknown = pb.WithdrawNoticeRequest(notice_id="ntc_unknown0")
        await world.notices(OPERATOR).WithdrawNotice(unknown)
    told = [
        (it.WhichOneof("payload"), getattr(it, it.WhichOneof("payload") or "").notice.text)
        for it in (await world.events("global")).events
    ]
    assert told == [
        ("notice_published", "soon"),
        ("notice_withdrawn", "soon"),
        ("notice_published", "short"),
    ]


async def test_a_repeated_notice_is_one(world: World) -> None:
    """By its request id; another body under it is refused."""
    request_id = str(uuid.uuid4())
    first = await publish(world, "once", request_id=request_id)
    assert await publish(world, "once", request_id=request_id) == first
    with Refused(Reason.REQUEST_ID_REUSED):
        await publish(world, "twice", request_id=request_id)
    assert await listed(world, ANN) == ["once"]


async def test_so_many_are_in_force(world: World) -> None:
    """The next one waits for the end of another; whoever reads them is not to read for long."""
    for number in range(IN_FORCE):
        await publish(world, str(number), 60)
    with Refused(Reason.LIMIT_EXCEEDED):
        await publish(world, "one more")
    world.clock.now += 61
    assert await publish(world, "one more")


async def test_ended_notices_are_forgotten(world: World) -> None:
    """Thirty days after their end; those in force stay, however old they are."""
    await publish(world, "old", 60)
    await publish(world, "long", 80 * DAY_S)
    world.clock.now += KEPT_S + 61
    await world.context.retention.once()
    assert await listed(world, ANN, show_ended=True) == ["long"]
