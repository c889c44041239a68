"""What it costs that rules find a turn's handler and filters look at it, which finds nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_FLAG,
    FILTER_ACTION_SANITISE,
    FILTER_STAGE_ANSWER,
    FILTER_STAGE_MESSAGE,
    FILTER_STAGE_TOOL_RESULT,
    Filter,
    PayloadFilter,
    PersonalDataFilter,
    RepetitionFilter,
    SecretsFilter,
    TermsFilter,
)
from antiphon.dispatcher.v1.route_pb2 import RouteClassifier, RouteMatch, RouteRule
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.proofs.bench.antiphon import antiphon
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.experts import EXPERTS
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.processes import used_s
from tests.workers.processes import WorkerProcess, invited

Asked = tuple[Sequence[RouteRule], Sequence[Filter]]
SERVING = (sys.executable, "-m", "tests.proofs.bench.experts")
SIDE_BY_SIDE = 8
MESSAGE = "My train was cancelled, and nobody at the desk could say who pays for the night in Lyon."
MOST_MS = at_most(1, of_floor=False)
STAGES = (FILTER_STAGE_MESSAGE, FILTER_STAGE_TOOL_RESULT, FILTER_STAGE_ANSWER)
WORDS = ("invoice", "prescription", "contract", "password", "holiday")
TEN = [
    RouteRule(
        name=f"rule-{at}",
        priority=at,
        match=RouteMatch(
            media_types=["text/*"],
            metadata={"tone": "*"} if at % 3 == 0 else {},
            languages=["pt"] if at % 3 == 1 else [],
            text_patterns=[rf"(?i)\b{word}{at}s?\b" for word in WORDS],
        ),
        handler="echo",
    )
    for at in range(10)
]
AMONG = RouteRule(
    name="experts",
    classifier=RouteClassifier(handlers=EXPERTS, min_score=1, min_margin=1),
    fallback="assistant",
)


def _masking(it: Filter) -> Filter:
    looks = Filter(stages=STAGES)
    looks.MergeFrom(it)
    return looks


BAD = TermsFilter(terms=[f"prohibited{at}" for at in range(100)])
CHAIN = [
    Filter(name="secrets", action=FILTER_ACTION_SANITISE, secrets=SecretsFilter()),
    Filter(name="people", action=FILTER_ACTION_FLAG, personal_data=PersonalDataFilter()),
    Filter(name="words", action=FILTER_ACTION_BLOCK, terms=BAD),
    Filter(name="payload", action=FILTER_ACTION_BLOCK, payload=PayloadFilter()),
    Filter(name="repeated", action=FILTER_ACTION_FLAG, repetition=RepetitionFilter()),
]
"""All that is built in, for messages."""
MASKING = [_masking(it) for it in CHAIN[:-1]]
"""Those that can look at answers, too: each of their pieces, of which the model gives 17."""


async def routes(bench: Bench) -> list[Figure]:
    """Processor time of a turn: with no rules, ten, a classifier that is never sure, filters."""
    async with antiphon(bench.fresh()) as server, _experts(bench, server):
        asked: list[Asked] = [([], []), (TEN, []), ([AMONG], []), (TEN, CHAIN), (TEN, MASKING)]
        sides = [partial(_cost, bench, server, it) for it in asked]
        for side in sides:
            await side()  # what is imported and learned at first use is not in it
        none, ten, among, filtered, masked = await bench.in_turn(*sides)
    return [
        paired("processor time of a turn without routes", "ms", none),
        _more("ten rules with 50 patterns", ten, none),
        _more("a classifier of six experts", among, none),
        _more("ten rules, and all filters that are built in", filtered, none),
        _more("ten rules, and answers masked by four", masked, none),
    ]


def _more(name: str, found: Sequence[float], floor: Sequence[float]) -> Figure:
    more = [ms - without for ms, without in zip(found, floor, strict=True)]
    return paired(f"routes: {name}, processor", "ms more", more, (), MOST_MS)


@asynccontextmanager
async def _experts(bench: Bench, server: ServerProcess) -> AsyncIterator[None]:
    """All six are there."""
    key = await invited(server, "billing")
    async with server.client() as client:
        (allowed,) = [it async for it in client.list_worker_permissions("global")]
        for name in EXPERTS:
            await client.allow_worker("global", name, allowed.user_id)

        async def are_there() -> bool:
            listed = [it async for it in client.list_handlers() if it.examples]
            return len(listed) == len(EXPERTS)

        worker = WorkerProcess(server.address, key, bench.fresh() / "worker.log", SERVING)
        worker.shown = False
        async with worker:
            await until_it(are_there)
            yield


async def _cost(bench: Bench, server: ServerProcess, asked: Asked) -> float:
    rules, filters = asked
    turns = 200 if bench.quick else 400
    async with server.client() as client:
        await client.set_routes("global", rules)
        await client.set_filters("global", filters)
        before = used_s(server.pid)
        async with asyncio.TaskGroup() as group:
            waiting = iter(range(turns))
            for _ in range(SIDE_BY_SIDE):
                group.create_task(_one_after_another(client, waiting))
        took_ms = (used_s(server.pid) - before) * 1000 / turns
        await _check(client, rules)
        return took_ms


async def _check(client: Client, rules: Sequence[RouteRule]) -> None:
    """That they were what was asked; whoever works on it is the same."""
    conversation = await client.create_conversation()
    turn = (await client.dispatch(conversation.conversation_id, MESSAGE)).turn
    among = "experts" if AMONG in rules else ""
    asked = turn.HasField("route"), turn.route.rule, bool(turn.route.candidates)
    assert (turn.handler, *asked) == ("assistant", bool(rules), among, bool(among)), turn


async def _one_after_another(client: Client, waiting: Iterator[int]) -> None:
    conversation = await client.create_conversation()
    async with client.converse(conversation.conversation_id) as talk:
        for _ in waiting:
            posted = await talk.post(MESSAGE)
            assert [it async for it in posted]
