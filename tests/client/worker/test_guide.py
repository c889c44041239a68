"""The experts of docs/guides/workers.md: one whose turn another worker had, and one for forms."""

import re
from typing import Any

import pytest

from tests.client.worker.scripted import running, scripted_server
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "workers.md"


@pytest.mark.parametrize("said", ["", "2 x a\n1", "2 x a\n1 x b\n"])
async def test_nothing_is_said_twice(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on behind what was said, be it all."""
    found = re.search(r"^```python expert\n(.*?)^asyncio\.run", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    async with scripted_server() as server:
        monkeypatch.setenv("ANTIPHON_ADDRESS", server.state.address)
        monkeypatch.setenv("ANTIPHON_API_KEY", "key")
        names: dict[str, Any] = {}
        exec(found[1], names)
        async with running(names["worker"]):
            stream = await server.welcomed()
            await stream.assign("a b a", handler="words", text=said, sequence=1)
            assert (await stream.next("output")).progress.status == "counting"
            answer = "2 x a\n1 x b\n"
            if said != answer:
                assert said + (await stream.next("output")).text == answer
            assert (await stream.next("finish")).failure == ""


async def test_a_form_is_taken_and_what_is_none_is_not() -> None:
    """By what programs say of the message."""
    found = re.search(r"^```python form\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    form = {"type": "form.submitted", "metadata": {"form": "order"}}
    async with scripted_server() as server:
        worker = server.worker()
        worker.handler("orders")(names["orders"])
        async with running(worker):
            stream = await server.welcomed()
            await stream.assign('{"item": 7}', handler="orders", **form)
            assert (await stream.next("output")).text == "Item 7 is ordered, by the form order.\n"
            assert (await stream.next("finish")).failure == ""
            await stream.ack(1, finished=True)
            await stream.assign("seven, please", handler="orders", turn_id="turn_00000002")
            assert (await stream.next("finish")).failure == "Orders are taken by form."
