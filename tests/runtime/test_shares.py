"""Who has had more than their share waits while others are there; alone, nobody waits."""

import asyncio
import time

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_costs import OPENING_S, Meter
from antiphon_server.runtime.limits.share_lines import BURST_S
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.limits.shares import MOST_CALLS, Shares
from tests.fakes.clocks import in_no_time

ANNA, BERT, CARL = "users/user_anna0000", "users/user_bert0000", "users/user_carl0000"
STEP_S = 0.01


class _Exact(Meter):
    """Things cost what they are said to: a test does none of them."""

    def real(self, cost_s: float) -> float:
        return cost_s


def shares(**settings: object) -> Shares:
    made = Shares(ShareSettings(**settings))  # type: ignore[arg-type]
    made.meter = _Exact()
    return made


async def took_s(it: Shares, who: str, count: int, workspace_id: str = "") -> float:
    """How long so many things of a hundredth of a second each waited."""
    loop, share = asyncio.get_running_loop(), it.of(who, workspace_id)
    began = loop.time()
    for _ in range(count):
        await share.take(STEP_S)
    return loop.time() - began


@in_no_time
async def test_alone_nobody_waits() -> None:
    """An idle server gives everything to whoever asks."""
    assert await took_s(shares(), ANNA, 1000) == 0


@in_no_time
async def test_who_takes_much_waits_for_others() -> None:
    """Not who takes little; and it is never less than the share."""
    it = shares(user=0.25)
    await it.call(BERT, STEP_S)
    waited = asyncio.create_task(took_s(it, ANNA, 30))
    await asyncio.sleep(0.1)
    assert await took_s(it, BERT, 1) == 0
    assert (0.3 - BURST_S - 2 * STEP_S) / 0.25 <= await waited <= 0.3 / 0.25


@in_no_time
async def test_all_streams_of_one_come_back_at_once() -> None:
    """As they do after a restart, while others are there: as many as one may have by default."""
    it = shares()
    await it.call(BERT, STEP_S)
    began = asyncio.get_running_loop().time()
    for _ in range(it.settings.streams):
        await it.call(ANNA, OPENING_S)
    assert asyncio.get_running_loop().time() - began < 0.5


@in_no_time
async def test_many_who_want_much_share_alike() -> None:
    """Each has as much as the others, by their weights, however many things it asks for."""
    it = shares(user=0.5, weights={"user_carl0000": 2})
    done = {ANNA: 0, BERT: 0, CARL: 0}

    async def take(who: str) -> None:
        share = it.of(who)
        while True:
            await share.take(STEP_S)
            await asyncio.sleep(0)
            done[who] += 1

    greedy = {ANNA: 30, BERT: 3, CARL: 3}
    tasks = [asyncio.create_task(take(who)) for who, many in greedy.items() for _ in range(many)]
    await asyncio.sleep(0.5)  # what a burst may have is over
    done |= dict.fromkeys(done, 0)
    async with asyncio.timeout(60):
        while sum(done.values()) < 80:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert 0.7 < done[ANNA] / done[BERT] < 1.4
    assert 1.5 < done[CARL] / done[BERT] < 2.7


@in_no_time
async def test_who_had_less_than_others_does_not_wait() -> None:
    """However busy the server is, and though it is more than a share: the greedy one makes way."""
    it = shares(user=0.05)
    await it.call(BERT, STEP_S)
    greedy = [asyncio.create_task(took_s(it, ANNA, 1000)) for _ in range(50)]
    await asyncio.sleep(0.1)
    for _ in range(30):
        await it.call(ANNA, 10 * STEP_S, waits=False)
    assert await took_s(it, BERT, 20) == 0  # of which it would else wait two seconds
    for task in greedy:
        task.cancel()
    await asyncio.wait(greedy)


@in_no_time
async def test_a_workspace_has_a_share_too() -> None:
    """Two users of one wait for another's, though neither takes more than theirs."""
    it = shares(user=1.0, workspace=0.1)
    await it.of(CARL, "ws_other000").take(STEP_S)
    both = await asyncio.gather(*(took_s(it, who, 8, "ws_shared00") for who in (ANNA, BERT)))
    assert max(both) > 0.3


@in_no_time
async def test_who_goes_makes_way() -> None:
    """A place in line is released by a cancelled call, and by who leaves for something else."""
    it = shares(user=0.02)
    await it.call(BERT, STEP_S)
    await it.call(ANNA, 1.0)
    gone = [asyncio.create_task(it.call(ANNA, 10.0)) for _ in range(5)]
    leaves = it.of(ANNA)
    left = asyncio.create_task(leaves.take(10.0))
    await asyncio.sleep(0)
    assert leaves.waits
    last = asyncio.create_task(it.call(ANNA, STEP_S))
    await asyncio.sleep(0)
    for call in gone:
        call.cancel()
    await asyncio.wait(gone)
    leaves.leave()
    await left
    async with asyncio.timeout(30):
        await last


@in_no_time
async def test_a_line_of_calls_has_an_end() -> None:
    """Who would be one too many is told so, and when to come again; a stop stands in no line."""
    it = shares(user=0.01)
    await it.call(BERT, STEP_S)
    await it.call(ANNA, 1.0)
    line = [asyncio.create_task(it.call(ANNA, 1.0)) for _ in range(MOST_CALLS)]
    await asyncio.sleep(0)
    with pytest.raises(DomainError) as refused:
        await it.call(ANNA, 1.0)
    assert refused.value.reason is Reason.OVERLOADED
    assert refused.value.retry_after
    await it.call(ANNA, 1.0, waits=False)
    for call in line:
        call.cancel()
    await asyncio.wait(line)


@in_no_time
async def test_when_the_others_have_gone_nobody_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in line are let in when one is alone again."""
    monkeypatch.setattr("antiphon_server.runtime.limits.share_lines.THERE_S", 0.3)
    it = shares(user=0.001)
    await it.call(BERT, STEP_S)
    async with asyncio.timeout(30):  # of which each would wait ten seconds
        await took_s(it, ANNA, 20)


@pytest.mark.parametrize("it", [shares(enabled=False), shares()])
@in_no_time
async def test_parts_of_the_installation_have_no_share(it: Shares) -> None:
    """Nor has anybody where shares are switched off."""
    who = ANNA if not it.settings.enabled else "services/dispatcher"
    await it.call(BERT, STEP_S)
    assert await took_s(it, who, 1000) == 0


@in_no_time
async def test_what_waits_is_told() -> None:
    """By whose share, not by whose name: the labels are few."""
    it = shares(user=0.01)
    await it.call(BERT, STEP_S)
    await it.call(ANNA, 1.0)
    waiting = asyncio.create_task(it.call(ANNA, 1.0))
    await asyncio.sleep(0)
    told = {
        (sample.name, sample.labels["of"]): sample.value
        for family in it.collect()
        for sample in family.samples
    }
    assert told["antiphon_share_waiting", "user"] == 1
    assert told["antiphon_share_held", "user"] == 1
    assert told["antiphon_share_waits_total", "user"] == 1
    assert told["antiphon_share_waiting", "workspace"] == 0
    waiting.cancel()


def test_what_things_cost_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they take more processor time than they are said to, they count for more."""
    monkeypatch.setattr("antiphon_server.runtime.limits.share_costs.METER_S", 0.0)
    monkeypatch.setattr("antiphon_server.runtime.limits.share_costs.LEAST_METERED", 0.0)
    meter = Meter()
    for _ in range(10):
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass
        cost_s = meter.real(0.01)
    assert 0.025 < cost_s < 0.05
