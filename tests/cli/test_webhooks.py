"""``antiphon webhooks``."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from subprocess import CompletedProcess

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.dispatcher.v1.webhook_pb2 import Webhook
from antiphon.events.v1.event_pb2 import Event, WebhookOverflowed
from antiphon_server.cli.events import event_line
from antiphon_server.cli.webhooks.showing import state_of
from tests.cli.conftest import Home
from tests.e2e.server import ServerProcess
from tests.e2e.until import until
from tests.e2e.webhooks import LOCAL
from tests.fakes.webhook_receiver import Answer, WebhookReceiver

pytestmark = pytest.mark.asyncio(loop_scope="module")
Ask = Callable[..., Awaitable["CompletedProcess[str]"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("server"), variables=LOCAL) as server:
        yield server


@pytest.fixture
def ask(server: ServerProcess, home: Home) -> Ask:
    """Run ``antiphon webhooks`` beside the server."""
    where, data = server.address, str(server.data_dir)

    def ran(*arguments: str) -> "CompletedProcess[str]":
        given = ("webhooks", *arguments)
        return home.run(*given, ANTIPHON_ADDRESS=where, ANTIPHON_DATA_DIR=data)

    async def asked(*arguments: str) -> "CompletedProcess[str]":
        return await asyncio.to_thread(ran, *arguments)

    return asked


@pytest_asyncio.fixture(loop_scope="module")
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


async def _made(ask: Ask, receiver: WebhookReceiver, *more: str) -> str:
    made = json.loads((await ask("create", receiver.hook, "--json", *more)).stdout)
    receiver.secrets.append(made["secret"])
    return str(made["webhook_id"])


async def test_one_is_made_tried_told_and_removed(
    ask: Ask, receiver: WebhookReceiver, server: ServerProcess
) -> None:
    """Its secret is printed when it is made, and by no other command."""
    assert "There are none" in (await ask("list")).stderr
    made = await ask("create", receiver.hook, "--states", "succeeded", "--description", "mine")
    words = made.stdout.split()
    which, secret = words[1], words[3]
    receiver.secrets.append(secret)
    listed = await ask("list")
    assert listed.stdout.splitlines()[1].split() == [which, "on", "succeeded", receiver.hook]
    tried = await ask("test", which)
    assert tried.stdout.startswith("taken: HTTP status 200, within ")
    assert receiver.received[0].signed_by == 1

    assert "nothing has happened" in (await ask("deliveries", which)).stderr
    async with server.client() as client:
        where = (await client.create_conversation()).conversation_id
        turn = (await client.dispatch(where, "hello", handler="echo")).turn
    await until(lambda: len(receiver.received) == 2)
    while "delivered" not in (shown := await ask("deliveries", which)).stdout:
        pass
    assert turn.turn_id in shown.stdout
    assert "taken: HTTP status 200" in shown.stdout
    assert "  turn.ended  " in shown.stdout
    again = await ask("redeliver", which, receiver.ids[1])
    assert again.returncode == 0
    await until(lambda: receiver.ids[1:] == [receiver.ids[1]] * 2)

    everything = [await ask(*it, which) for it in (["show"], ["show", "--json"], ["deliveries"])]
    assert all(secret not in it.stdout + it.stderr for it in (listed, *everything))
    assert (await ask("delete", which)).returncode == 0
    gone = await ask("show", which)
    assert (gone.returncode, f"there is no {which}" in gone.stderr) == (1, True)


async def test_what_is_not_taken_says_why(ask: Ask, receiver: WebhookReceiver) -> None:
    which = await _made(ask, receiver)
    receiver.always = Answer(503)
    failed = await ask("test", which)
    assert (failed.returncode, failed.stdout[:25]) == (1, "not taken: HTTP status 50")
    told = json.loads((await ask("test", which, "--json")).stdout)
    assert (told["outcome"], told["status_code"]) == ("DELIVERY_OUTCOME_REFUSED", 503)
    await ask("update", which, "--url", "http://127.0.0.1:1/hook")
    assert "no connection" in (await ask("test", which)).stdout
    await ask("delete", which)


async def test_it_is_changed_and_switched_off_and_on(ask: Ask, receiver: WebhookReceiver) -> None:
    which = await _made(ask, receiver, "--kinds", "turn_ended", "--handler", "echo")
    assert "say what is to change" in (await ask("update", which)).stderr
    changed = await ask("update", which, "--kinds", "", "--states", "failed", "--disable", "--json")
    told = json.loads(changed.stdout)
    assert told["disabled_reason"] == "WEBHOOK_DISABLED_REASON_BY_HAND"
    assert (told.get("kinds"), told["states"]) == (None, ["TURN_STATE_FAILED"])
    assert "disabled: by hand" in (await ask("list")).stdout
    await ask("update", which, "--enable")
    assert "disabled" not in (await ask("list")).stdout
    rotated = await ask("rotate", which)
    receiver.secrets.append(rotated.stdout.split()[1])
    await ask("test", which)
    assert receiver.received[-1].signed_by == 2
    assert "2 valid" in (await ask("show", which)).stdout
    await ask("delete", which)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "http://10.1.2.3/in"], "ANTIPHON_EGRESS_ALLOW_HOSTS"),
        (["create", "nowhere"], "https://hooks.example"),
        (["create", "https://somewhere.example/", "--states", "done"], "succeeded"),
        (["create", "https://somewhere.example/", "--kinds", "done"], "turn_waiting"),
        (["show", "wh_12345678"], "there is no wh_12345678"),
    ],
)
async def test_what_is_refused_is_said_in_words(ask: Ask, arguments: list[str], said: str) -> None:
    refused = await ask(*arguments)
    assert refused.returncode == 1
    assert said in refused.stderr.replace("\n", " ")


async def test_one_that_is_full_says_so() -> None:
    """Also who looks at nothing but the list, or follows their own log."""
    hook = Webhook(
        webhook_id="wh_00000001", full_since=Timestamp(seconds=1), failing_since=Timestamp()
    )
    assert state_of(hook).startswith("full since ")
    full = Event(webhook_overflowed=WebhookOverflowed(webhook_id="wh_00000001", waiting=10_000))
    assert event_line(full).endswith("wh_00000001 keeps no more: 10000 deliveries wait")


async def test_what_is_posted_in_the_clear_is_warned_of(ask: Ask) -> None:
    """It is taken, since networks may be one's own; kinds are told as messages spell them."""
    far = await ask("create", "http://hooks.example/a", "--kinds", "turn.ended,turn_waiting")
    assert far.returncode == 0, far.stderr
    assert "! what is posted there is not encrypted: whoever is in between reads" in far.stderr
    assert "turn_ended or turn_waiting  http://hooks.example/a" in (await ask("list")).stdout
    which = far.stdout.split()[1]
    near = await ask("update", which, "--url", "http://127.0.0.1:1/a")
    assert (near.returncode, "encrypted" in near.stderr) == (0, False), near.stderr
    assert (await ask("delete", which)).returncode == 0
