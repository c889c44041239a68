"""Accounts, passwords and devices on the command line."""

import json
import re
import subprocess

import pytest

from tests.cli.conftest import Home, Run
from tests.cli.terminal import Terminal
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

OLD, NEW = "correct horse battery", "eleven purple elephants"
CODE = "Code: ([A-Z]{4}-[A-Z]{4})"


def says(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """An account's id, its name and what it is, of what a command shows."""
    headings, account = done.stdout.splitlines()
    assert headings.split() == ["user", "name", "is", "made", "called"]
    return account.split()[:3]


def test_operators_make_and_change_accounts(antiphon: Run) -> None:
    """Made, shown, listed, shut, opened, raised and lowered; each answer is the account."""
    made = antiphon("users", "create", "Bea", "--json", ANTIPHON_NEW_PASSWORD=OLD)
    user = json.loads(made.stdout)
    assert (user["name"], made.returncode) == ("bea", 0)
    assert says(antiphon("users", "show", "bea")) == [user["user_id"], "bea", "person"]
    listed = antiphon("users", "list", "be", "--json").stdout.splitlines()
    assert [json.loads(line)["user_id"] for line in listed] == [user["user_id"]]
    assert says(antiphon("users", "disable", "bea"))[2] == "disabled"
    assert says(antiphon("users", "enable", "bea"))[2] == "person"
    assert says(antiphon("users", "operator", "bea"))[2] == "operator"
    assert says(antiphon("users", "operator", "bea", "--revoke"))[2] == "person"
    last = antiphon("users", "operator", "local", "--revoke")
    assert last.returncode == 1
    assert "make somebody else an operator first" in last.stderr


def test_a_breached_password_is_refused_with_a_reason(antiphon: Run) -> None:
    """And one that can't be asked for is asked for by its variable."""
    refused = antiphon("users", "create", "cleo", ANTIPHON_NEW_PASSWORD="password1234")
    assert refused.returncode == 1
    assert "attackers try this password first" in refused.stderr
    unasked = antiphon("users", "create", "cleo")
    assert (unasked.returncode, "ANTIPHON_NEW_PASSWORD" in unasked.stderr) == (2, True)


@pytest.fixture(scope="module")
def anna(shared_home: Home, address: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of somebody who is signed in by password."""
    shared_home.run("users", "create", "anna", ANTIPHON_NEW_PASSWORD=OLD)
    home = Home(tmp_path_factory.mktemp("anna"))
    signed_in = home.run("login", "-a", address, "--name", "anna", ANTIPHON_PASSWORD=OLD)
    assert signed_in.returncode == 0
    return home


def test_who_is_signed_in_elsewhere_is_told_where(anna: Home, antiphon: Run, address: str) -> None:
    """Without -a the login that is kept is named; once it was ended, how to sign in again."""
    told = f"you are signed in at {address}: add `-a {address}`, or `export ANTIPHON_ADDRESS="
    for command in (("sessions", "list"), ("logout",)):
        shown = anna.run(*command)
        assert (shown.returncode, told in shown.stderr) == (1, True), shown.stderr
    antiphon("sessions", "revoke", "--all", "--user", "anna")
    again = f"`antiphon login -a {address}`"
    for where, why in ((address, "was ended"), ("", f"session at {address} was ended")):
        shown = anna.run("conversations", ANTIPHON_ADDRESS=where)
        assert why in shown.stderr
        assert again in shown.stderr
    shown = anna.run("conversations", "-a", address)
    assert f"you are not signed in there. Run {again}" in shown.stderr
    anna.run("login", "-a", address, "--name", "anna", ANTIPHON_PASSWORD=OLD)


def test_a_key_in_the_environment_is_named(anna: Home, address: str) -> None:
    """Where it is refused, and where it goes before a login."""
    refused = anna.run("whoami", "-a", address, ANTIPHON_API_KEY="hello")
    assert "the key in ANTIPHON_API_KEY" in refused.stderr
    assert "antiphon login" not in refused.stderr
    login = ("login", "-a", address, "--name", "anna")
    signed_in = anna.run(*login, ANTIPHON_PASSWORD=OLD, ANTIPHON_API_KEY="hello")
    assert signed_in.stdout == f"Signed in at {address} as anna.\n"
    assert "`unset ANTIPHON_API_KEY`" in signed_in.stderr


def test_ctrl_c_ends_the_waiting(address: str, home: Home) -> None:
    """At once, without a trace of Python."""
    with Terminal(["login", "--device", "-a", address], home.environment) as waiting:
        waiting.wait_for("Ctrl-C")
        waiting.interrupt()
        assert waiting.wait() == 130
        assert "Traceback" not in waiting.seen


def test_who_holds_a_key_lets_no_device_in(antiphon: Run, address: str, home: Home) -> None:
    """The refusal says who may, before anything is asked; a mistyped code is told, too."""
    with Terminal(["login", "--device", "-a", address], home.environment) as waiting:
        code = waiting.wait_for(CODE)[1]
        refused = antiphon("approve", code, stdin="y\n")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "only somebody who has signed in with `antiphon login`" in refused.stderr
    wrong = antiphon("approve", "BCDF-GHJK", "--yes")
    assert (wrong.returncode, "no such login waits" in wrong.stderr) == (1, True)


def test_who_looks_at_their_own_trail_is_refused_nothing(
    antiphon: Run, anna: Home, address: str
) -> None:
    """Names that only operators may know are not asked for: it would stand in the trail."""
    trail = anna.run("audit", "tail", "-a", address, "--user", "anna")
    assert (trail.returncode, "users/anna" in trail.stdout) == (0, True), trail.stderr
    removed = anna.run("members", "remove", "conv_00000001", "local", "-a", address)
    assert (removed.returncode, "only operators know people by name" in removed.stderr) == (1, True)
    anna.run("users", "list", "-a", address)
    told = ""
    while "ListUsers" not in told:  # refusals are told a moment later, in order
        told = antiphon("audit", "tail", "--user", "anna", "--kind", "access_refused").stdout
    assert "GetUser" not in told


def test_a_password_is_changed_and_reset(antiphon: Run, anna: Home, address: str) -> None:
    """The wrong old one changes nothing; a token sets one once; secrets are printed once."""
    change = ("password", "change", "-a", address)
    wrong = anna.run(*change, ANTIPHON_PASSWORD="wrong", ANTIPHON_NEW_PASSWORD=NEW)
    assert "the password so far is wrong; nothing was changed" in wrong.stderr
    changed = anna.run(*change, ANTIPHON_PASSWORD=OLD, ANTIPHON_NEW_PASSWORD=NEW)
    assert changed.stdout.startswith("Changed.")
    assert anna.run("conversations", "-a", address).returncode == 0
    made = antiphon("users", "reset-password", "anna")
    token = made.stdout.strip()
    assert re.fullmatch(r"antp_\w{49}", token)
    reset = ("password", "reset", "-a", address)
    done = anna.run(*reset, ANTIPHON_RESET_TOKEN=token, ANTIPHON_NEW_PASSWORD=OLD)
    assert done.stdout.startswith("Set.")
    again = anna.run(*reset, ANTIPHON_RESET_TOKEN=token, ANTIPHON_NEW_PASSWORD=OLD)
    assert "each works once" in again.stderr
    login = anna.run("login", "-a", address, "--name", "anna", ANTIPHON_PASSWORD=OLD)
    assert login.returncode == 0


def test_a_new_password_is_typed_twice_and_unseen(shared_home: Home, address: str) -> None:
    """On a terminal it is asked for, again if it is too short, and stands nowhere."""
    arguments = ["users", "create", "dora"]
    with Terminal(arguments, shared_home.environment) as terminal:
        terminal.reply("12 characters: ", "short")
        terminal.reply("invalid.\r\nNew password, at least 12 characters: ", OLD)
        terminal.reply("confirmation: ", OLD)
        assert terminal.wait() == 0
        terminal.wait_for("dora")
        assert OLD not in terminal.seen


def test_what_is_refused_anyway_is_refused_before_a_password(
    antiphon: Run, anna: Home, address: str
) -> None:
    """Nobody types one in vain: not for a name, a key, a token or a file that can't be."""
    for name, why in (("local", "there is a user local already"), ("b b", "that is no name")):
        assert why in antiphon("users", "create", name).stderr
    change = ("password", "change", "-a", address)
    assert "the key in ANTIPHON_API_KEY" in anna.run(*change, ANTIPHON_API_KEY="x").stderr
    reset = anna.run("password", "reset", "-a", address, ANTIPHON_RESET_TOKEN="antp_x")
    assert "that token does not work" in reset.stderr


def test_the_guides_flows_run(home: Home) -> None:
    """What the guides on people and authentication show works in their order, on a new server."""
    people, authentication = (
        ROOT / "docs" / "guides" / f"{name}.md" for name in ("people", "authentication")
    )
    with home.server() as address:
        given = {
            **home.environment,
            "ANTIPHON_ADDRESS": address,
            "ANTIPHON_PASSWORD": OLD,
            "ANTIPHON_NEW_PASSWORD": OLD,
        }
        done = run(commands("people", people), given)
        done += run(commands("people-leave", people), given)
        done += run(commands("password-reset", authentication), given)
        done += run(["antiphon login --name anna"], given)
        changed = {**given, "ANTIPHON_NEW_PASSWORD": NEW}
        done += run(commands("password-change", authentication), changed)
    assert [(one.command, one.output) for one in done if one.exit_code] == []
    assert len(done) == 9
