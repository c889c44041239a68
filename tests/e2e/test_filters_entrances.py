"""One corpus through every entrance: the same verdict, whichever way something comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.context.v1 import filter_service_pb2 as pb
from antiphon.context.v1.context_service_pb2 import ListMessagesRequest
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    Filter,
    PayloadFilter,
    PersonalDataFilter,
    RepetitionFilter,
    Screening,
    SecretsFilter,
    TermsFilter,
)
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest
from antiphon_client import new_turn_id
from tests.e2e.callers import channel_to, operator
from tests.e2e.calls import Calls, new_conversation
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.filters.corpus import (
    ATTACKS,
    HARMLESS,
    REGIONS,
    TERMS_AS_PARTS,
    TERMS_AS_WORDS,
    Sample,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
TERMS = TermsFilter(terms=TERMS_AS_WORDS, parts=TERMS_AS_PARTS)
KINDS: Mapping[str, Any] = {
    "secrets": SecretsFilter(),
    "personal_data": PersonalDataFilter(regions=REGIONS),
    "terms": TERMS,
    "payload": PayloadFilter(),
    "repetition": RepetitionFilter(),
}
FILTERS = [
    Filter(name=kind.replace("_", "-"), action=FILTER_ACTION_BLOCK, **{kind: it})
    for kind, it in KINDS.items()
]
Entrance = Callable[[Calls, Sequence[str]], Awaitable[str]]


async def _posted(calls: Calls, parts: Sequence[str]) -> str:
    return await _reason(calls(calls.context.PostMessage, calls.post(*parts)))


async def _dispatched(calls: Calls, parts: Sequence[str]) -> str:
    asked = calls.dispatch(*parts, turn_id=new_turn_id())
    return await _reason(calls(calls.dispatcher.Dispatch, asked))


async def _conversed(calls: Calls, parts: Sequence[str]) -> str:
    stream: Any = calls.dispatcher.Converse(metadata=calls.caller.metadata)
    post = calls.dispatch(*parts, turn_id=new_turn_id())
    await stream.write(ConverseRequest(tag="1", post=post))
    answer = await asyncio.wait_for(stream.read(), PATIENCE_S)
    stream.cancel()
    return reason_in(answer.error.error) if answer.HasField("error") else ""


async def _reason(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Calls]:
    """A workspace behind all built-in filters."""
    home = tmp_path_factory.mktemp("entrances")
    async with ServerProcess(home, variables=ONE_FOR_MANY) as server, channel_to(server) as channel:
        caller = await operator(server)
        calls = await new_conversation(channel, caller)
        filters = FilterServiceStub(channel)
        await calls(
            filters.SetFilters, pb.SetFiltersRequest(parent=_workspace(calls), filters=FILTERS)
        )
        yield calls


def _workspace(calls: Calls) -> str:
    return calls.caller.known["ws"]


@pytest.mark.parametrize("entrance", [_posted, _dispatched, _conversed])
async def test_the_verdict_is_the_same_everywhere(stage: Calls, entrance: Entrance) -> None:
    """What an attack is refused for is what trying it says; nothing of it is said."""
    calls = await new_conversation(stage.channel, stage.caller)
    tried = [await _tried(calls, it) for it in ATTACKS]
    assert all(it.refused for it in tried)
    became = {it.name: await entrance(calls, it.parts) for it in ATTACKS}
    assert became == dict.fromkeys(became, "CONTENT_BLOCKED")
    found = [_said(it) for it in reversed(await _screenings(calls))]
    assert found == [_said(it) for it in tried]
    listing = ListMessagesRequest(conversation_id=calls.conversation_id)
    assert not (await calls(calls.context.ListMessages, listing)).messages


@pytest.mark.parametrize("entrance", [_posted, _dispatched, _conversed])
async def test_what_is_harmless_passes_everywhere(stage: Calls, entrance: Entrance) -> None:
    """Nobody says anything about it."""
    calls = await new_conversation(stage.channel, stage.caller)
    became = {it.name: await entrance(calls, it.parts) for it in HARMLESS}
    assert became == dict.fromkeys(became, "")
    assert await _screenings(calls) == []


async def _tried(calls: Calls, sample: Sample) -> pb.TryFiltersResponse:
    parts = [Part(text=text) for text in sample.parts]
    request = pb.TryFiltersRequest(parent=_workspace(calls), parts=parts)
    answer: pb.TryFiltersResponse = await calls(
        FilterServiceStub(calls.channel).TryFilters, request
    )
    return answer


async def _screenings(calls: Calls) -> list[Screening]:
    """Those of the conversation, the newest first."""
    filters, found, token = FilterServiceStub(calls.channel), [], ""
    while True:
        request = pb.ListScreeningsRequest(
            parent=_workspace(calls), page_size=200, page_token=token
        )
        page = await calls(filters.ListScreenings, request)
        found += [it for it in page.screenings if it.conversation_id == calls.conversation_id]
        token = page.next_page_token
        if not token:
            return found


def _said(it: Screening | pb.TryFiltersResponse) -> list[tuple[str, list[str], int]]:
    return [(one.filter, list(one.categories), one.found) for one in it.verdicts]
