"""``antiphon budgets``: what they limit, and what people are told who are refused."""

import json
import re
from functools import partial

import pytest

from tests.cli.conftest import Home

DEAR = {"kind": "scripted", "input_price_micros": 1_000_000, "output_price_micros": 2_000_000}
FREE = {"name": "scripted/free", "kind": "scripted"}
ODD = [
    ("5", "it says no unit"),
    ("5USD", "not a number, a blank and a unit"),
    ("$5", "not a number, a blank and a unit"),
    ("1,000 tokens", "commas stand in no amount"),
    ("x USD", "begins with no number"),
    ("-1 USD", "less than nothing"),
    ("0.0000001 USD", "finer than a millionth"),
    ("1.5 calls", "calls are whole numbers"),
    ("2e30 tokens", "all digits are written out"),
    ("5 DOLLARS", "code of three letters"),
    ("1e9999999 USD", "all digits are written out"),
    ("NaN USD", "begins with no number"),
    ("5 ÜßD", "code of three letters"),
    ("9" * 5000 + " tokens", "too much"),
    ("9" * 5000 + " USD", "more than 1,000,000,000"),
    ("² tokens", "begins with no number"),
]
MODELS = json.dumps([{"name": "scripted/dear", **DEAR}, FREE])


def test_what_is_spent_is_limited(home: Home) -> None:
    """Calls are made while the most that they can take fits; a free one always does."""
    run = partial(home.run, ANTIPHON_MODELS=MODELS)
    ask = ("chat", "--once", "hello", "--model", "scripted/dear")
    assert run(*ask).returncode == 0
    put = run("budgets", "put", "team", "--limit", "0.01 USD", "--per", "once")
    assert "team allows 0.01 USD in all, to the workspace." in put.stderr
    assert run(*ask).returncode == 0
    (use,) = [json.loads(it) for it in run("budgets", "list", "--json").stdout.splitlines()]
    (state,) = use["states"]
    assert int(state["spent"]) > 0
    assert "reserved" not in state
    assert int(state["spent"]) + int(state["left"]) == 10_000
    run("budgets", "put", "team", "--limit", "0.0001 USD", "--per", "once")
    refused = run(*ask)
    assert refused.returncode != 0
    assert "the budget team has too little left: of 0.0001 USD" in refused.stderr
    assert "Waiting does not help. " in refused.stderr
    assert run("chat", "--once", "hello", "--model", "scripted/free").returncode == 0
    run("budgets", "delete", "team")
    assert run(*ask).returncode == 0


def test_they_are_listed_with_who_uses_them(home: Home) -> None:
    """Those of a workspace, and the installation's, which its operator may see."""
    run = partial(home.run, ANTIPHON_MODELS=MODELS)
    run("chat", "--once", "hello", "--model", "scripted/free")
    assert "nothing is limited" in run("budgets").stderr
    limit = ("--limit", "3 calls", "--per", "day")
    run("budgets", "put", "fair", *limit, "--scope", "user", "--time-zone", "Asia/Tokyo")
    run("budgets", "put", "all", "--limit", "9000 tokens", "--installation")
    assert "3 calls a day" in run("budgets").stdout
    assert "yours" in run("budgets").stdout, "also before anything is used"
    run("chat", "--once", "hello", "--model", "scripted/free")
    listed = run("budgets").stdout
    assert "2 calls" in listed
    assert "1 call " in listed
    assert "00:00 Asia/Tokyo" in listed
    assert listed.count("fair") == 1
    assert "9,000 tokens a month" in run("budgets", "--installation").stdout


def test_only_what_is_said_is_changed(home: Home) -> None:
    """A raised limit leaves what is spent; what counts otherwise begins anew, and says so."""
    run = partial(home.run, ANTIPHON_MODELS=MODELS)
    ask = ("chat", "--once", "hello", "--model", "scripted/dear")
    assert run(*ask).returncode == 0
    settings = ("--per", "day", "--time-zone", "Asia/Tokyo", "--target", "scripted/*")
    run("budgets", "put", "team", "--limit", "1 USD", *settings, "--warn", "50", "--next-model")
    run(*ask)
    raised = run("budgets", "put", "team", "--limit", "2 USD")
    assert "team allows 2 USD a day, to the workspace." in raised.stderr
    assert "anew" not in raised.stderr
    (use,) = [json.loads(it) for it in run("budgets", "list", "--json").stdout.splitlines()]
    assert int(use["states"][0]["spent"]) > 0
    listed = run("budgets").stdout
    assert "the workspace" in listed
    assert "ws_" not in listed
    assert "scripted/* · warns at 50 % · then the next model" in listed
    budget = use["budget"]
    assert (budget["window"], budget["time_zone"]) == ("BUDGET_WINDOW_DAY", "Asia/Tokyo")
    assert (budget["targets"], budget["warn_percent"]) == (["scripted/*"], 50)
    assert budget["when_exceeded"] == "WHEN_EXCEEDED_NEXT_MODEL"
    assert "counting begins anew" in run("budgets", "put", "team", "--target", "*").stderr
    assert "0 USD" in run("budgets").stdout
    refused = run("budgets", "put", "other", "--per", "day")
    assert (refused.returncode, 'as --limit "5 USD"' in refused.stderr) == (2, True)


@pytest.mark.parametrize(("limit", "why"), ODD)
def test_what_is_no_amount_is_refused(home: Home, limit: str, why: str) -> None:
    """With what is wrong, and with how to write one."""
    refused = home.run("budgets", "put", "x", f"--limit={limit}")
    assert refused.returncode == 2
    assert why in refused.stderr
    assert 'write "5 USD", "100000 tokens" or "500 calls", without commas' in refused.stderr


def test_a_price_is_written_with_its_currency(home: Home) -> None:
    """Nothing else than money, or nothing."""
    refused = home.run("tools", "price", "antiphon.time", "0.01")
    assert (refused.returncode, 'write "0.01 USD", or 0' in refused.stderr) == (2, True)


def test_one_of_a_unit_is_written_as_one(home: Home) -> None:
    """And none is too many, which is said; a budget of what nobody asks is made, too."""
    run = partial(home.run, ANTIPHON_MODELS=MODELS)
    run("chat", "--once", "hello", "--model", "scripted/free")
    assert "allows 1 call a month" in run("budgets", "put", "x", "--limit", "1 call").stderr
    assert "allows 2 tokens" in run("budgets", "put", "y", "--limit", "2 Token").stderr
    put = partial(run, "budgets", "put", "z", "--limit")
    assert "But a limit of 0 has every call that costs something refused." in put("0 USD").stderr
    assert "But" not in put("1 USD", "--target", "scripted/*", "--target", "wiki.find").stderr
    assert (
        "But scripted/x is the name of no model here"
        in put("1 USD", "--target", "scripted/x").stderr
    )
    euros = put("1 EUR", "--target", "*").stderr
    assert "no model here has prices in EUR: calls of those in USD will be refused" in euros
    refused = run("chat", "--once", "hello", "--model", "scripted/dear").stderr
    assert "scripted/dear costs USD, and the budget z counts EUR: " in refused


def test_patterns_stand_in_the_help(home: Home) -> None:
    """No star of theirs is lost."""
    assert "openai/*, or * for all" in " ".join(
        home.run("budgets", "put", "--help").stdout.replace("│", " ").split()
    )


def test_blanks_between_digits_are_written_anyhow(home: Home) -> None:
    """As in Python, and twice."""
    home.run("chat", "--once", "hello", "--handler", "echo")
    assert "10 tokens" in home.run("budgets", "put", "x", "--limit", "1__0 tokens").stderr


@pytest.mark.parametrize("command", [("put", "X y", "--limit", "5 USD"), ("delete", "NO PE")])
def test_a_wrong_name_is_told(home: Home, command: tuple[str, ...]) -> None:
    """Of what it is no name, and how one is written."""
    home.run("chat", "--once", "hello", "--handler", "echo")
    refused = home.run("budgets", *command)
    assert "no name of a budget" in refused.stderr
    assert "small letters" in refused.stderr


def test_what_never_matches_is_refused(home: Home) -> None:
    """A subject that is no ID, or one of another scope; a time zone that there is not."""
    home.run("chat", "--once", "hello", "--handler", "echo")
    refused = home.run("budgets", "put", "x", "--limit", "5 USD", "--time-zone", "Mars/Phobos")
    assert "Europe/Berlin" in refused.stderr
    limited = ("budgets", "put", "x", "--limit", "5 USD", "--scope", "user", "--for")
    assert (
        '"user_" is no ID of its scope: write user_… as a whole'
        in home.run(*limited, "user_").stderr
    )
    assert "add --scope conversation" in home.run(*limited, "conv_00000001").stderr
    key = ("budgets", "put", "x", "--limit", "5 USD", "--for")
    assert "add --scope key" in home.run(*key, "key_00000001").stderr
    for wrong in ("nightly", "key_abc"):
        refused = home.run(*key, wrong, "--scope", "key")
        assert (refused.returncode, "write key_… as a whole" in refused.stderr) == (2, True)
    assert "no turn is limited by itself" in home.run(*key, "turn_00000001").stderr


def test_a_tool_has_a_price_that_budgets_count(home: Home) -> None:
    """One call of two fits; what it cost is told nowhere else."""
    home.run("chat", "--once", "hello", "--handler", "echo")
    assert "costs 0.75 USD a call" in home.run("tools", "price", "antiphon.time", "0.75 USD").stderr
    assert "0.75 USD" in home.run("tools", "show", "antiphon.time").stdout
    home.run("budgets", "put", "tools", "--limit", "1 USD", "--target", "antiphon.*")
    assert home.run("tools", "call", "antiphon.time").returncode == 0
    refused = home.run("tools", "call", "antiphon.time")
    assert "0.75 are spent" in refused.stderr
    assert re.search(r"It begins anew in \d+ (days|hours|minutes|s) \(", refused.stderr)
    home.run("tools", "price", "antiphon.time", "0")
    assert home.run("tools", "call", "antiphon.time").returncode == 0
