"""``antiphon usage``: what calls took, as a table, as CSV, and one turn's call by call."""

import asyncio
import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from antiphon.integration.v1 import model_pb2 as pb
from antiphon.integration.v1.spending_pb2 import Spending
from antiphon_server.cli import turn_costs, usage_rows
from antiphon_server.cli.turn_costs import whys
from tests.cli.conftest import Home
from tests.e2e.until import until_it

DEAR = {"kind": "scripted", "input_price_micros": 1_000_000, "output_price_micros": 2_000_000}
CALLS = {"what time is it": [{"tool": "antiphon.time"}]}
DOWN = {"name": "scripted/down", "kind": "scripted", "script": {"fail_after": 0}}
PLAIN = {"name": "scripted/plain", "kind": "scripted"}
MODELS = json.dumps([{"name": "scripted/dear", **DEAR, "script": {"calls": CALLS}}, DOWN, PLAIN])


def _asked(home: Home, text: str, *more: str) -> dict[str, Any]:
    """A turn that was asked for, as JSON tells it."""
    ran = home.run("chat", "--once", text, "--json", *more, ANTIPHON_MODELS=MODELS)
    last: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return last


def test_a_table_a_chart_and_csv_have_the_same_sums(home: Home) -> None:
    """As the answers said themselves."""
    turns = [_asked(home, "hello there", "--model", "scripted/dear") for _ in range(2)]
    turns.append(_asked(home, "hello", "--model", "local/smollm2-135m"))
    costs = sum(int(it["usage"]["cost"]["micros"]) for it in turns)
    read = sum(int(it["usage"]["input_tokens"]) for it in turns)
    cost = f"{Decimal(costs).scaleb(-6).normalize():f}"
    today = datetime.now(UTC).date().isoformat()
    usage = partial(home.run, "usage")
    table = usage().stdout
    assert today in table
    assert "█" * 24 in table
    assert table.splitlines()[-1].split() == ["in", "all", "3", f"{read:,}", *table.split()[-3:]]
    assert f"{cost} USD" in table.splitlines()[-1]
    rows = list(csv.DictReader(io.StringIO(usage("--by", "model,day", "--csv").stdout)))
    assert {it["model"]: it["calls"] for it in rows} == {
        "scripted/dear": "2",
        "local/smollm2-135m": "1",
    }
    assert sum(Decimal(it["cost_usd"]) for it in rows) == Decimal(cost)
    assert sum(int(it["input_tokens"]) for it in rows) == read
    told = [json.loads(it) for it in usage("--by", "conversation", "--json").stdout.splitlines()]
    assert {it["conversation_id"] for it in told} == {it["conversation_id"] for it in turns}
    assert sum(int(it["usage"]["cost"].get("micros", 0)) for it in told) == costs
    assert "user_" in usage("--by", "user", "--installation").stdout
    before = usage("--since", "2026-01-01", "--until", "2026-01-31")
    assert (before.stdout, "Nothing was called" in before.stderr) == ("", True)


def test_one_turn_is_explained(home: Home) -> None:
    """Each attempt and each call of a tool, and why it was made."""
    tools = ("--model", "scripted/dear", "--tool", "antiphon.time")
    turn = _asked(home, "what time is it", *tools)
    where = ("usage", "--conversation", turn["conversation_id"], "--turn", turn["turn_id"])
    question, tool, goes_on, total = home.run(*where).stdout.splitlines()[1:]
    assert "scripted/dear" in question
    assert question.endswith("the question")
    assert "antiphon.time" in tool
    assert tool.endswith("the model asked for it")
    assert goes_on.endswith("goes on with what tools answered")
    assert total.startswith("In all 3 calls, ")
    rows = list(csv.DictReader(io.StringIO(home.run(*where, "--csv").stdout)))
    costs = sum(Decimal(it["cost"]) for it in rows) * 1_000_000
    assert costs == int(turn["usage"]["cost"]["micros"])
    assert len(home.run(*where, "--json").stdout.splitlines()) == 3


async def _passed_over(home: Home, address: str) -> tuple[str, str]:
    """A conversation, and its turn that was answered by the second of its models."""
    async with home.client(address) as client:
        await client.set_model_breaker("scripted/plain", pb.BREAKER_STATE_OPEN)
        where = (await client.create_conversation()).conversation_id
        models = ["scripted/plain", "scripted/dear"]
        turn = (await client.dispatch(where, "hello", models=models)).turn.turn_id

        async def has_ended() -> bool:
            return (await client.get_turn(where, turn)).HasField("end_time")

        await until_it(has_ended)
    return where, turn


def test_who_was_not_asked_is_told_with_the_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call tells of a model that was passed over."""
    monkeypatch.setenv("ANTIPHON_MODELS", MODELS)
    with home.server() as address:
        where, turn = asyncio.run(_passed_over(home, address))
        command = ("usage", "--conversation", where, "--turn", turn)
        ran = [home.run(*command, *more) for more in ((), ("--csv",), ("--json",))]
    shown, csv_, json_ = (it.stdout for it in ran)
    assert shown.splitlines()[-1] == "Not asked: scripted/plain is not available."
    rows = list(csv.DictReader(io.StringIO(csv_)))
    assert [(it["called"], it["ended"], it["error"]) for it in rows] == [
        ("scripted/dear", "succeeded", ""),
        ("scripted/plain", "skipped", "MODEL_UNAVAILABLE"),
    ]
    told = json.loads(json_.splitlines()[-1])["skipped_model"]
    assert told == {"model": "scripted/plain", "error_reason": "MODEL_UNAVAILABLE"}


def test_what_failed_is_told_with_its_reason(home: Home) -> None:
    """And that it was tried again."""
    turn = _asked(home, "hello", "--model", "scripted/down")
    where = ("usage", "--conversation", turn["conversation_id"], "--turn", turn["turn_id"])
    first, *again, _ = home.run(*where).stdout.splitlines()[1:]
    assert "failed MODEL_UNAVAILABLE" in first
    assert again
    assert all("tried again, since it failed (MODEL_UNAVAILABLE)" in it for it in again)


def test_another_model_is_told_from_another_try() -> None:
    """By the order of a turn's calls."""
    failed = pb.ModelCall(
        model="a/a", outcome=pb.ATTEMPT_OUTCOME_FAILED, error_reason="MODEL_TIMEOUT"
    )
    calls = [
        failed,
        failed,
        pb.ModelCall(model="b/b", outcome=pb.ATTEMPT_OUTCOME_SUCCEEDED),
    ]
    assert list(whys(calls)) == [
        "the question",
        "tried again, since it failed (MODEL_TIMEOUT)",
        "in place of a/a, which failed (MODEL_TIMEOUT)",
    ]


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "+1+1", "-1", "@SUM(A1)"])
def test_no_program_takes_a_name_for_a_formula(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others choose names, and spreadsheets open CSV; numbers stay numbers."""
    costs = [pb.Money(currency="USD", micros=5)]
    usage_rows.print_csv([Spending(target=name, calls=1, costs=costs)], ["model"])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["model"], row["calls"], row["cost_usd"]) == (f"'{name}", "1", "0.000005")
    turn_costs.print_csv([pb.ModelCall(model=name, call_id="call_1")])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert f"'{name}" in row.values()
    assert name not in row.values()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "no date"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "after --until"),
        (("--until", "9999-12-31"), "a day of the years 1971 to 9997"),
        (("--until", "0001-01-05"), "a day of the years 1971 to 9997"),
        (("--since", "0001-01-01", "--time-zone", "Asia/Tokyo"), "a day of the years 1971 to 9997"),
        (("--since", "2024-01-01", "--until", "2025-12-31"), "--since and --until"),
        (("--time-zone", "Mars/Phobos"), "no time zone"),
        (("--turn", "turn_1234567890"), "add --conversation"),
        (("--conversation", "conv_1234567890"), "goes with --turn"),
        (("--since", "9000-01-01"), "--since is in the future"),
        (("--csv", "--json"), "say which"),
        (("--by", "day,week"), "--by: 'week' is none of day, model, user"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Home, options: tuple[str, ...], said: str) -> None:
    """Before any server is asked."""
    refused = home.run("usage", *options)
    assert (refused.returncode, said in refused.stderr) == (2, True)


def test_one_call_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Of several there are more."""
    turn_costs.print_calls([pb.ModelCall(model="a/b")])
    assert "In all 1 call, " in capsys.readouterr().out
    day = date(2026, 11, 25)
    for number, said in ((1, "1 call of unknown price"), (2, "2 calls of unknown price")):
        group = Spending(target="a/b", calls=number, unpriced_calls=number)
        usage_rows.print_groups([group], ["model"], day, day)
        assert said in capsys.readouterr().out
