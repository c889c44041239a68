"""``antiphon memory``: what is remembered, shown, recalled, corrected and forgotten."""

import json
import re
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.conftest import Run


def _objects(told: "CompletedProcess[str]") -> list[Any]:
    """What was printed as JSON."""
    return [json.loads(line) for line in told.stdout.splitlines()]


@pytest.fixture
def made(antiphon: Run, request: pytest.FixtureRequest) -> str:
    """One that says something of this test alone."""
    told = antiphon("memory", "add", f"Something of {request.node.name}", "--name", "Zoe", "--json")
    assert told.returncode == 0, told.stderr
    return str(json.loads(told.stdout)["memory_id"])


def test_one_is_added_listed_and_shown_with_all_that_was_said(antiphon: Run) -> None:
    """Days are of this machine's zone; kinds and past ones can be chosen."""
    told = antiphon(
        *("memory", "add", "Zoe plays the oboe", "--kind", "event", "--since", "2026-03-01"),
        *("--until", "2026-04-01", "--expires", "2999-01-01", "--importance", "0.9"),
        *("--name", "Zoe", "--name", "oboe"),
    )
    memory = told.stdout.split()[-1]
    shown = antiphon("memory", "show", memory).stdout
    lines = dict(re.split(r"\s{2,}", it, maxsplit=1) for it in shown.splitlines())
    assert lines["says"] == "Zoe plays the oboe"
    assert (lines["kind"], lines["state"], lines["names"]) == ("event", "active", "Zoe, oboe")
    assert lines["holds"] == "2026-03-01 until 2026-04-01"
    assert lines["expires"].startswith("2999-01-01")
    _, row = antiphon("memory", "list", "-k", "event").stdout.splitlines()
    assert row.split("  ")[0] == memory
    assert memory not in antiphon("memory", "list", "-k", "fact").stdout
    instead = antiphon("memory", "add", "Zoe plays the tuba", "--instead-of", memory)
    assert memory not in antiphon("memory", "list").stdout
    assert "event (superseded)" in antiphon("memory", "list", "--past").stdout
    shown = antiphon("memory", "show", memory, "--json").stdout
    assert json.loads(shown)["superseded_by"] == instead.stdout.split()[-1]


def test_recall_marks_what_holds_no_more_or_not_yet(antiphon: Run) -> None:
    """What holds now has no mark."""
    for text, dates in (
        ("Yara rents a barn", ("--until", "2020-01-01")),
        ("Yara owns a mill", ("--since", "2999-01-01")),
        ("Yara keeps bees", ("--since", "2020-01-01", "--until", "2999-01-01")),
    ):
        assert antiphon("memory", "add", text, *dates).returncode == 0
    lines = [it.strip() for it in antiphon("memory", "recall", "Yara").stdout.splitlines()]
    assert "Yara rents a barn (held until 2020-01-01)" in lines
    assert "Yara owns a mill (from 2999-01-01)" in lines
    assert "Yara keeps bees" in lines


def test_a_correction_keeps_what_it_was(antiphon: Run, made: str) -> None:
    antiphon("memory", "correct", made, "Zoe is a painter")
    shown = json.loads(antiphon("memory", "show", made, "--json").stdout)
    assert shown["text"] == "Zoe is a painter"
    assert [it["text"].split()[0] for it in shown["versions"]] == ["Something"]
    again = antiphon("memory", "correct", made, "Zoe is a painter")
    assert again.stderr == f"{made} says so already.\n"
    assert shown == json.loads(antiphon("memory", "show", made, "--json").stdout)
    antiphon("memory", "add", "Zoe is a sculptor", "--instead-of", made)
    latest, first = antiphon("memory", "show", made).stdout.splitlines()[-2:]
    assert latest.startswith("was      state active")
    assert "painter" not in latest
    assert first.startswith("was      Something of")


def test_what_is_forgotten_is_neither_listed_nor_recalled_nor_exported(
    antiphon: Run, made: str
) -> None:
    """It can be said twice; another that isn't there is told in words."""
    recalled = _objects(antiphon("memory", "recall", "forgotten exported", "--json"))
    assert made in [it.get("memory", {}).get("memory_id") for it in recalled]
    for _ in range(2):
        assert antiphon("memory", "forget", made).stderr == f"{made} is forgotten.\n"
    for ask in (("list", "--json"), ("recall", "forgotten exported", "--json"), ("export",)):
        assert made not in antiphon("memory", *ask).stdout
    assert "is forgotten, which is for good" in antiphon("memory", "restore", made).stderr
    unknown = antiphon("memory", "show", "mem_00000000")
    assert unknown.returncode == 1
    assert "`antiphon memory list` shows yours" in unknown.stderr


def test_a_message_is_named_as_its_source(antiphon: Run) -> None:
    said = _objects(antiphon("chat", "--once", "Zoe moved to Graz", "--handler", "echo", "--json"))
    where = said[0]["conversation_id"]
    (hit, *_) = _objects(antiphon("search", "Graz", "--json"))
    source = f"{where}/{hit['message']['message_id']}"
    told = antiphon("memory", "add", "Zoe lives in Graz", "--from", source, "--scope", where)
    memory = told.stdout.split()[-1]
    shown = antiphon("memory", "show", memory, "--scope", where).stdout
    assert f"from     {source}\n" in shown
    listed = antiphon("memory", "list", "--scope", where).stdout
    assert "person, 1 message" in listed


def test_what_can_not_be_meant_is_said_before_anything_is_done(antiphon: Run) -> None:
    for arguments, words in (
        (("add", "x", "--scope", "here"), "write conv_… or ws_…"),
        (("add", "x", "--since", "yesterday"), "write one like 2026-11-01"),
        (("add", "x", "--from", "msg_1"), "write a source as conv_…/msg_…"),
        (("recall", "x", "--kinds", "dreams"), "the kinds are"),
    ):
        told = antiphon("memory", *arguments)
        assert told.returncode
        assert words in " ".join(told.stderr.split()), arguments


def test_where_no_memory_of_others_is_set_status_says_so(antiphon: Run) -> None:
    """So does telling it anew."""
    for what in ("status", "resync"):
        told = antiphon("memory", "external", what)
        assert (told.returncode, "ANTIPHON_EXTERNAL_MEMORY" in told.stderr) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("memory add x --about anna", "--about: anna is nobody's ID; write me, or user_…"),
        ("memory add x --scope user_anna", "--scope: user_anna is no scope; write conv_… or ws_…"),
        ("memory recall brief --scope a", "--scope: a is no scope; write conv_… or ws_…"),
        ("memory recall brief --person anna", "--person: anna is nobody's ID; write me, user_…"),
        (
            "memory add x --since 2026-05-01 --until 2026-04-01",
            "--until: 2026-04-01 is not after --since 2026-05-01",
        ),
        ("memory add x --expires 2020-01-01", "--expires: 2020-01-01 is past; write a day to come"),
        ("memory add x --instead-of that", "--instead-of: that is no memory's ID (mem_…)"),
        ("memory add x --from conv_1/msg_1", "--from: conv_1 is no conversation's ID (conv_…)"),
        ("memory show this", "MEMORY: this is no memory's ID (mem_…)"),
        ("memory forget mem_00000000 this", "MEMORY: this is no memory's ID (mem_…)"),
        ("memory entities merge Anna Bert", "ENTITY: Anna is no entity's ID (ent_…)"),
        ("memory entities merge ent_00000000 Bert", "OTHER: Bert is no entity's ID (ent_…)"),
        ("memory entities split ent_00000000 --mention x", "--mention: x is no mention's ID"),
    ],
)
def test_what_is_written_otherwise_is_told_by_the_name_of_its_option(
    antiphon: Run, arguments: str, says: str
) -> None:
    """As it was typed, not as the contract calls it; and nothing is done."""
    told = antiphon(*arguments.split())
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr


def test_me_is_whoever_asks(antiphon: Run) -> None:
    """Whom something is about, who said something, whose it is."""
    me = json.loads(antiphon("whoami", "--json").stdout)["user"]["user_id"]
    (put,) = _objects(antiphon("memory", "add", "Likes quince", "--about", "me", "--json"))
    assert put["subject"] == put["scope"] == f"users/{me}"
    for option in ("--person", "--scope"):
        recalled = _objects(antiphon("memory", "recall", "quince", option, "me", "--json"))
        assert [it["memory"]["memory_id"] for it in recalled] == [put["memory_id"]]
    listed = _objects(antiphon("memory", "list", "--scope", "me", "--json"))
    assert put["memory_id"] in [it["memory_id"] for it in listed]


def test_what_was_found_and_had_no_room_is_not_said_to_be_unknown(antiphon: Run, made: str) -> None:
    recalled = antiphon("memory", "recall", "Something unknown", "--tokens", "1")
    assert recalled.stdout == ""
    assert recalled.stderr.startswith("All that was found (")


def test_a_rule_that_fits_nothing_has_a_list_of_nothing(antiphon: Run) -> None:
    told = antiphon("memory", "prune", "--older-than", "99y", "--json")
    assert _objects(told) == [{"pruned": []}]


def test_what_was_shown_is_told_in_the_words_of_whoever_asks(antiphon: Run, made: str) -> None:
    """What is remembered of them is theirs; of what was erased there is nothing to explain."""
    said = _objects(
        antiphon("chat", "--once", "Something shown", "--handler", "assistant", "--json")
    )
    where = said[0]["conversation_id"]
    assert ": fact of yours, " in antiphon("context", "explain", where).stdout
    antiphon("erase", "conversation", where, "--yes")
    told = antiphon("context", "explain", where)
    assert "there is nothing to explain" in told.stderr
    assert antiphon("context", "explain", where, "newest").stderr.startswith("antiphon: TURN: ")
