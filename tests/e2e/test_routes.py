"""Turns whose callers name no handler find theirs by routes, and are told why."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.dispatcher.v1.route_pb2 import RouteClassifier, RouteMatch, RouteRule
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TurnAccepted
from antiphon.events.v1.route_pb2 import (
    ROUTE_OUTCOME_AWAY,
    ROUTE_OUTCOME_DEFAULT,
    ROUTE_OUTCOME_RULE,
    ROUTE_OUTCOME_UNSURE,
)
from antiphon_client import AntiphonError, Client
from tests.e2e.server import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
ECHO = RouteRule(name="forms", match=RouteMatch(types=["form.submitted"]), handler="echo")
LOUD = RouteRule(name="loud", match=RouteMatch(metadata={"tone": "*"}), handler="echo", priority=5)


@dataclass(slots=True)
class Stage:
    """A conversation, and rules for its workspace."""

    client: Client
    conversation: Conversation

    @property
    def parent(self) -> str:
        """The workspace."""
        return self.conversation.workspace_id

    async def posted(self, text: str = "hello", **more: object) -> Turn:
        """A turn that names no handler, as it was taken on."""
        where = self.conversation.conversation_id
        return (await self.client.dispatch(where, text, **more)).turn  # type: ignore[arg-type]

    async def accepted(self, turn: Turn) -> TurnAccepted:
        """What the log says of it."""
        scope = f"conversations/{turn.conversation_id}"
        log = (await self.client.read_events(scope)).events
        mine = (it for it in log if it.turn_id == turn.turn_id)
        return next(it.turn_accepted for it in mine if it.HasField("turn_accepted"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("routes")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    """No routes stand before each test."""
    async with server.client() as client:
        stage = Stage(client, await client.create_conversation(language="pt-BR"))
        for parent in (stage.parent, "global"):
            await client.set_routes(parent, [])
        yield stage


async def test_where_no_routes_stand_nothing_is_said_of_them(it: Stage) -> None:
    turn = await it.posted()
    assert (turn.handler, turn.HasField("route")) == ("assistant", False)
    assert not (await it.accepted(turn)).HasField("route")


async def test_a_turn_goes_where_a_rule_says_and_is_told_why(it: Stage) -> None:
    """The turn, its event, and what is explained say the same."""
    routes = await it.client.set_routes(it.parent, [ECHO, LOUD], comment="forms are echoed")
    turn = await it.posted(type="form.submitted")
    route = turn.route
    assert (turn.handler, route.handler) == ("echo", "echo")
    assert (route.outcome, route.rule) == (ROUTE_OUTCOME_RULE, "forms")
    assert (route.parent, route.revision) == (it.parent, routes.revision)
    assert (await it.accepted(turn)).route == route
    where = it.conversation.conversation_id
    assert await it.client.explain_route(where, "hello", type="form.submitted") == route
    assert (await it.client.get_turn(where, turn.turn_id)).route == route


async def test_the_highest_priority_is_first_and_the_workspace_before_all(it: Stage) -> None:
    everything = RouteRule(name="everything", handler="echo")
    await it.client.set_routes("global", [everything])
    await it.client.set_routes(it.parent, [ECHO, LOUD])
    both = await it.posted(type="form.submitted", metadata={"tone": "sharp"})
    neither = await it.posted()
    assert (both.route.rule, neither.route.rule) == ("loud", "everything")
    assert neither.route.parent == "global"


async def test_what_no_rule_matches_is_for_the_default(it: Stage) -> None:
    await it.client.set_routes(it.parent, [ECHO])
    turn = await it.posted()
    assert (turn.handler, turn.route.outcome) == ("assistant", ROUTE_OUTCOME_DEFAULT)


async def test_who_is_named_is_taken(it: Stage) -> None:
    await it.client.set_routes(it.parent, [RouteRule(name="all", handler="assistant")])
    turn = await it.posted(handler="echo")
    assert (turn.handler, turn.HasField("route")) == ("echo", False)


async def test_whom_nobody_serves_is_passed_over(it: Stage) -> None:
    """To the rule's fallback, or else to the next rule."""
    away = RouteRule(name="away", handler="reviewer", fallback="echo", priority=1)
    alone = RouteRule(name="alone", handler="reviewer", priority=1)
    await it.client.set_routes(it.parent, [away])
    turn = await it.posted()
    assert (turn.handler, turn.route.outcome) == ("echo", ROUTE_OUTCOME_AWAY)
    await it.client.set_routes(it.parent, [alone, RouteRule(name="rest", handler="echo")])
    turn = await it.posted()
    assert (turn.route.rule, list(turn.route.passed_over)) == ("rest", ["reviewer"])


async def test_labels_and_language_of_the_conversation_count(it: Stage) -> None:
    match = RouteMatch(languages=["pt"], text_patterns=["(?i)factura|fatura"])
    await it.client.set_routes(it.parent, [RouteRule(name="money", match=match, handler="echo")])
    assert (await it.posted("Onde está a minha fatura?")).route.rule == "money"
    assert (await it.posted("Bom dia")).route.outcome == ROUTE_OUTCOME_DEFAULT


async def test_without_a_clear_expert_it_is_the_fallback(it: Stage) -> None:
    rule = RouteRule(name="experts", classifier=RouteClassifier(), fallback="echo")
    await it.client.set_routes(it.parent, [rule])
    turn = await it.posted("whatever")
    assert (turn.handler, turn.route.outcome) == ("echo", ROUTE_OUTCOME_UNSURE)


async def test_rules_are_tried_on_turns_that_were(it: Stage) -> None:
    """Those that named a handler are left out."""
    plain, form = await it.posted(), await it.posted(type="form.submitted")
    await it.posted(handler="echo")
    found = await it.client.try_routes(it.parent, [ECHO])
    moved = {moved.turn_id: moved for moved in found.moved}
    assert form.turn_id in moved
    assert plain.turn_id not in moved
    assert moved[form.turn_id].decision.rule == "forms"
    assert found.moved_total == len(found.moved) <= found.tried == sum(found.counts.values())
    assert not (await it.client.get_routes(it.parent)).rules


async def test_what_routes_were_can_be_read_and_set_again(it: Stage) -> None:
    """The same rules again are no change."""
    client, parent = it.client, it.parent
    first = await client.set_routes(parent, [ECHO], comment="one")
    assert await client.set_routes(parent, [ECHO], comment="two") == first
    second = await client.set_routes(parent, [LOUD], expected_revision=first.revision)
    assert second.revision == first.revision + 1
    old = await client.get_routes(parent, first.revision)
    assert (list(old.rules), old.comment) == ([ECHO], "one")
    revisions = [each.revision async for each in client.list_route_revisions(parent)]
    assert revisions[:2] == [second.revision, first.revision]
    with pytest.raises(AntiphonError) as stale:
        await client.set_routes(parent, [ECHO], expected_revision=first.revision)
    assert stale.value.reason == "ETAG_MISMATCH"
    with pytest.raises(AntiphonError) as unknown:
        await client.get_routes(parent, 10_000)
    assert unknown.value.reason == "NOT_FOUND"


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([ECHO, ECHO], "rules[1].name"),
        (
            [RouteRule(name="a", handler="echo", match=RouteMatch(text_patterns=["("]))],
            "rules[0].match.text_patterns[0]",
        ),
        ([RouteRule(name="a")], "rules[0]"),
    ],
)
async def test_rules_that_are_none_are_refused_with_the_field(
    it: Stage, rules: list[RouteRule], field: str
) -> None:
    with pytest.raises(AntiphonError) as refused:
        await it.client.set_routes(it.parent, rules)
    assert refused.value.reason == "INVALID_ARGUMENT"
    assert list(refused.value.violations) == [field]
