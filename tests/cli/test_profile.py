"""``antiphon profile``: what somebody wants to be known by, set, shown and taken away."""

import json

from tests.cli.conftest import Run


def test_each_thing_is_set_shown_and_taken_away(antiphon: Run) -> None:
    """What is said is what is kept; of fields the others stay."""
    assert antiphon("profile", "clear", "--all", "--yes").returncode == 0
    told = antiphon("profile", "set", "zone", "europe/berlin")
    assert told.stdout == "zone is Europe/Berlin\n", told.stderr
    antiphon("profile", "set", "language", "pt-br")
    antiphon("profile", "set", "name", "Dr.", "Costa")
    antiphon("profile", "set", "likes", "short answers", "metric units")
    antiphon("profile", "set", "field", "team=blue", "site=Porto")
    assert antiphon("profile", "set", "field", "team=").stdout == "field is site=Porto\n"
    lines = antiphon("profile", "show").stdout.splitlines()
    assert [it.split(maxsplit=1) for it in lines] == [
        ["zone", "Europe/Berlin"],
        ["language", "pt-BR"],
        ["name", "Dr. Costa"],
        ["likes", "short answers; metric units"],
        ["field", "site=Porto"],
    ]
    where = ("--workspace", "ws_00000001")
    antiphon("profile", "set", "zone", "Asia/Tokyo", *where)
    found = json.loads(antiphon("profile", "show", "--json", *where).stdout)
    assert found["effective"]["time_zone"] == "Asia/Tokyo"
    assert found["effective"]["call_name"] == "Dr. Costa"
    assert antiphon("profile", "clear", "likes").stdout == "likes is not set any more\n"
    assert "likes" not in antiphon("profile", "show").stdout
    antiphon("profile", "clear", "--all", "--yes")
    assert "Nothing is set" in antiphon("profile", "show", *where).stderr


def test_what_can_not_be_is_told_in_words(antiphon: Run) -> None:
    """With what can be."""
    for wrong, told in (
        (("zone", "Nowhere"), "such as Europe/Berlin"),
        (("language", "!"), "such as de or pt-BR"),
        (("field", "team"), "no KEY=VALUE"),
        (("name", "x" * 65), "at most 64"),
        (("likes", "x" * 201), "at most 16 lines"),
    ):
        refused = antiphon("profile", "set", *wrong)
        assert refused.returncode != 0
        assert told in refused.stderr
    assert antiphon("profile", "clear", "zone", "--all").returncode == 2
    nowhere = antiphon("profile", "set", "name", "Marta", "--workspace", "ws_nope")
    assert nowhere.returncode == 1
    assert nowhere.stderr.startswith("antiphon: that is no workspace's ID (ws_…)")


def test_all_of_it_goes_when_that_is_meant(antiphon: Run) -> None:
    """Whoever doesn't say so is asked; what is set for a workspace stays."""
    where = ("--workspace", "ws_00000002")
    antiphon("profile", "set", "zone", "Asia/Tokyo", *where)
    antiphon("profile", "set", "name", "Marta")
    asked = antiphon("profile", "clear", stdin="n\n")
    assert asked.returncode == 1
    assert "What is set for workspaces stays. [y/N]" in asked.stderr
    assert "Marta" in antiphon("profile", "show").stdout
    told = antiphon("profile", "clear", stdin="y\n")
    assert told.stdout.strip() == "The profile is not set any more"
    assert "workspaces stays" in told.stderr
    assert "Nothing is set" in antiphon("profile", "show").stderr
    assert "Asia/Tokyo" in antiphon("profile", "show", *where).stdout
    antiphon("profile", "clear", "--yes", *where)
    assert "Nothing is set" in antiphon("profile", "show", *where).stderr


def test_an_operator_sets_somebody_elses(antiphon: Run) -> None:
    """By name or by id."""
    made = antiphon("users", "create", "zoe-profiled", "--no-password", "--json")
    user_id = json.loads(made.stdout)["user_id"]
    antiphon("profile", "set", "zone", "Asia/Tokyo", "--user", "zoe-profiled")
    assert "Asia/Tokyo" in antiphon("profile", "show", "--user", user_id).stdout
    assert antiphon("profile", "show", "--user", "nobody-here").returncode != 0
