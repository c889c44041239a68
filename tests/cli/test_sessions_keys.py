"""``antiphon sessions`` and ``antiphon keys``, and the guide that shows them."""

import json

import pytest

from tests.cli.conftest import Home, Run
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "sessions.md"
MARKS = ("sessions", "keys", "keys-program", "keys-rotate", "sessions-revoke")


def test_sessions_are_listed_and_the_asking_one_is_marked(antiphon: Run) -> None:
    """As a table that people read, and as JSON."""
    shown = antiphon("sessions", "list")
    assert shown.returncode == 0, shown.stderr
    assert "device" in shown.stdout
    assert "* sess_" in shown.stdout
    listed = [
        json.loads(line) for line in antiphon("sessions", "list", "--json").stdout.splitlines()
    ]
    assert [one["method"] for one in listed if one.get("current")] == ["LOGIN_METHOD_API_KEY"]
    assert listed[0]["first_address"] == "127.0.0.1"


def test_a_key_is_made_used_and_revoked(antiphon: Run) -> None:
    """It works within its scopes until it is revoked."""
    made = json.loads(antiphon("keys", "create", "ci", "--scope", "account", "--json").stdout)
    key_id, secret = made["api_key"]["key_id"], made["secret"]
    assert antiphon("sessions", "list", ANTIPHON_API_KEY=secret).returncode == 0
    refused = antiphon("conversations", ANTIPHON_API_KEY=secret)
    assert refused.returncode == 1
    assert "antk_" not in refused.stderr
    wider = antiphon("keys", "create", "wider", ANTIPHON_API_KEY=secret)
    assert "it needs every scope" in wider.stderr
    line = next(one for one in antiphon("keys", "list").stdout.splitlines() if key_id in one)
    assert "account" in line
    assert secret not in antiphon("keys", "list", "--json").stdout
    assert antiphon("keys", "revoke", key_id).returncode == 0
    gone = antiphon("sessions", "list", ANTIPHON_API_KEY=secret)
    assert "does not accept the key in ANTIPHON_API_KEY" in gone.stderr


def test_all_sessions_end_with_their_keys(antiphon: Run) -> None:
    """What others may have made is revoked; what the command signs in with goes on."""
    antiphon("keys", "create", "theirs")
    done = antiphon("sessions", "revoke", "--all", "--keys")
    assert "revoked." in done.stdout
    assert "1 API key of the same user still can sign in" in done.stderr


def test_wrong_words_get_a_sentence(antiphon: Run) -> None:
    """What is wrong, and what to do."""
    assert "or --all" in antiphon("sessions", "revoke").stderr
    assert "`antiphon sessions list`" in antiphon("sessions", "revoke", "x").stderr
    assert "`antiphon keys list`" in antiphon("keys", "revoke", "x").stderr
    assert "there is no user 'nobody'" in antiphon("keys", "list", "--user", "nobody").stderr
    assert "the scopes are read," in antiphon("keys", "create", "x", "--scope", "all").stderr


@pytest.mark.needs("grpcurl")
def test_the_guides_commands_do_what_it_says(shared_home: Home, address: str) -> None:
    """They run as they stand."""
    variables = {**shared_home.environment, "ANTIPHON_ADDRESS": address}
    done = run([line for mark in MARKS for line in commands(mark, GUIDE)], variables)
    assert {ran.exit_code for ran in done} == {0}, done
    outputs = {ran.command: ran.output for ran in done}
    assert "nightly" in outputs["antiphon keys list --user worker"]
    assert "from now on" in outputs["antiphon keys rotate-signing --compromised"]
