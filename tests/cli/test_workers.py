"""``antiphon workers``: who is let in, and what they may."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest

from antiphon_client import ApiKey
from antiphon_client.worker import Work, Worker
from tests.cli.conftest import Home, Run
from tests.e2e.readme import run
from tests.e2e.until import PATIENCE_S


def _env(printed: str) -> dict[str, str]:
    """What an invitation says to set."""
    return dict(line.split("=", 1) for line in printed.splitlines())


def _permitted(antiphon: Run, *where: str) -> list[tuple[str, str]]:
    """Handlers, and whose workers may serve them."""
    listed = antiphon("workers", "permissions", "--json", *where)
    assert listed.returncode == 0, listed.stderr
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    return [(it["handler"], it["user_id"]) for it in found]


def _user_id(antiphon: Run, name: str) -> str:
    return str(json.loads(antiphon("users", "show", name, "--json").stdout)["user_id"])


def test_an_invitation_is_all_that_a_program_needs(antiphon: Run, address: str) -> None:
    """Its lines are what it is started with; the key opens the workers' stream and no more."""
    invited = antiphon("workers", "invite", "reviewer")
    assert invited.returncode == 0, invited.stderr
    told = _env(invited.stdout)
    assert told.pop("ANTIPHON_ADDRESS") == address
    assert list(told) == ["ANTIPHON_API_KEY"]
    assert told["ANTIPHON_API_KEY"] not in invited.stderr
    as_worker = partial(antiphon, **told)
    who = as_worker("whoami", "--json")
    assert json.loads(who.stdout)["user"]["name"] == "reviewer-worker"
    assert ("reviewer", _user_id(antiphon, "reviewer-worker")) in _permitted(antiphon)
    for command in ("conversations", "workers", "models"):
        assert "this credential is limited" in as_worker(command).stderr
    (key,) = antiphon("keys", "list", "--user", "reviewer-worker").stdout.splitlines()[1:]
    assert " work " in key


def test_what_is_printed_is_a_file_to_start_it_with(shared_home: Home, address: str) -> None:
    """As the help says."""
    commands = [
        "antiphon workers invite filed > $HOME/filed.env",
        "env $(cat $HOME/filed.env) antiphon whoami",
    ]
    ran = run(commands, shared_home.environment)
    assert [it.exit_code for it in ran] == [0, 0], ran
    assert "filed-worker" in ran[1].output


def test_another_handler_is_served_with_the_same_key(antiphon: Run) -> None:
    """None is printed, unless one is asked for; both work."""
    first = _env(antiphon("workers", "invite", "one", "--name", "both").stdout)
    second = antiphon("workers", "invite", "two", "--name", "both")
    assert (second.returncode, second.stdout) == (0, "")
    assert "It has a key already, so none is printed; --new-key makes another one." in second.stderr
    user_id = _user_id(antiphon, "both")
    assert {("one", user_id), ("two", user_id)} <= set(_permitted(antiphon))
    anew = antiphon("workers", "invite", "two", "--name", "both", "--new-key", "--json")
    assert anew.returncode == 0, anew.stderr
    third = json.loads(anew.stdout)
    assert third.keys() == first.keys()
    for told in (first, third):
        assert antiphon("whoami", **told).returncode == 0


def test_a_workspaces_worker_serves_that_one_alone(antiphon: Run) -> None:
    """It stands in its list, not in that of all."""
    assert antiphon("chat", "--once", "hello").returncode == 0
    found = antiphon("conversations", "--json").stdout.splitlines()[0]
    workspace = json.loads(found)["workspace_id"]
    where = ("--workspace", workspace)
    assert antiphon("workers", "invite", "search", *where).returncode == 0
    user_id = _user_id(antiphon, "search-worker")
    assert ("search", user_id) in _permitted(antiphon, *where)
    assert ("search", user_id) not in _permitted(antiphon)
    forbidden = antiphon("workers", "forbid", "search", "search-worker", *where)
    assert f"Workers of search-worker may not serve search in {workspace}." in forbidden.stderr
    assert ("search", user_id) not in _permitted(antiphon, *where)


def test_a_workspaces_own_handler_can_be_chosen_in_its_chats(antiphon: Run) -> None:
    """/handlers lists it and /handler takes it, beside those of all."""
    assert antiphon("chat", "--once", "hello").returncode == 0
    found = json.loads(antiphon("conversations", "--json").stdout.splitlines()[0])
    where = ("--workspace", found["workspace_id"])
    assert antiphon("workers", "invite", "ours-alone", *where).returncode == 0
    for conversation in ((), ("-c", found["conversation_id"])):
        shown = antiphon("chat", *conversation, stdin="/handlers\n/handler ours-alone\n/quit\n")
        lines = (shown.stdout + shown.stderr).splitlines()
        assert any(line.endswith("ours-alone") for line in lines), lines
        assert any("ours-alone answers from now on." in line for line in lines), lines


def test_who_may_is_said_and_taken_back(antiphon: Run) -> None:
    """By name or id, as often as one likes; the table says who said so, the trail that they did."""
    antiphon("users", "create", "ann", "--no-password")
    ann = _user_id(antiphon, "ann")
    for user in ("ann", ann):
        assert antiphon("workers", "allow", "mine", user).returncode == 0
    rows = antiphon("workers", "permissions").stdout.splitlines()
    (row,) = [it for it in rows if it.startswith("mine ")]
    assert row.split()[:3] == ["mine", ann, "ann"]
    assert row.split()[-1] == "local"
    for user in (ann, "ann"):
        assert antiphon("workers", "forbid", "mine", user).returncode == 0
    assert ("mine", ann) not in _permitted(antiphon)
    told = antiphon("audit", "tail", "--kind", "worker_allowed,worker_forbidden", "--user", "ann")
    kinds = [it.split()[3] for it in told.stdout.splitlines() if "handler=mine" in it]
    assert kinds == ["worker_allowed", "worker_forbidden"]
    assert "resource=global" in told.stdout


async def test_one_that_is_there_is_listed(antiphon: Run) -> None:
    """With what it serves and does, to whoever looks after all or the workspace."""
    told = _env(antiphon("workers", "invite", "listed").stdout)
    credentials = ApiKey(told["ANTIPHON_API_KEY"])
    address = told["ANTIPHON_ADDRESS"]
    worker = Worker("lister", version="7", slots=3, address=address, credentials=credentials)
    worker.handler("listed")(_say_nothing)
    running = asyncio.create_task(worker.run(signals=False))
    try:
        shown = await _listed(antiphon)
        assert "listed" in shown
        assert "lister " in shown
        assert " ready " in shown
        assert " 0/3 " in shown
        as_json = await asyncio.to_thread(antiphon, "workers", "--json")
        (one,) = [json.loads(line) for line in as_json.stdout.splitlines()]
        assert (one["deployment"], one["version"], one["handlers"]) == ("lister", "7", ["listed"])
        assert one["user_id"] == await asyncio.to_thread(_user_id, antiphon, "listed-worker")
    finally:
        worker.stop(0)
        await running


async def _say_nothing(work: Work) -> None:
    return


async def _listed(antiphon: Run) -> str:
    """The table, when somebody stands in it."""
    async with asyncio.timeout(PATIENCE_S):
        while not (shown := (await asyncio.to_thread(antiphon, "workers")).stdout):
            pass
    return shown


def test_where_none_is_there_it_is_said(antiphon: Run) -> None:
    """And how one comes."""
    for command in (("workers",), ("workers", "list")):
        shown = antiphon(*command)
        assert (shown.returncode, shown.stdout) == (0, "")
        assert "`antiphon workers invite HANDLER` lets one in." in shown.stderr
    assert antiphon("workers", "--json").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("invite", "assistant"), "assistant is built in"),
        (("allow", "echo", "someone"), "echo is built in: no worker serves it"),
        (("invite", "Reviewer"), "that is no handler: write small letters, digits and -"),
        (("allow", "Reviewer", "someone"), "that is no handler: write small letters"),
        (("invite", "x", "--name", "someone"), "someone is a person: choose another --name"),
        (("allow", "x", "nobody"), "there is no user 'nobody'"),
        (("allow", "x", "user_00000000"), "there is no user user_00000000"),
        (("permissions", "-w", "ws_00000000"), "there is no ws_00000000"),
        (("list", "-w", "nowhere"), "parent"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    antiphon: Run, arguments: tuple[str, ...], why: str
) -> None:
    """Nothing is left of it: no account either."""
    antiphon("users", "create", "someone", "--no-password")
    refused = antiphon("workers", *arguments)
    assert refused.returncode in (1, 2)
    assert why in refused.stderr
    assert "assistant-worker" not in antiphon("users", "list").stdout


def test_who_operates_nothing_asks_of_a_workspace(antiphon: Run, tmp_path: Path) -> None:
    """An admin of one lets others' programs in there, by their ids, and is told nothing of all."""
    program = json.loads(antiphon("users", "create", "admin", "--program", "--json").stdout)
    key = antiphon("keys", "create", "x", "--user", "admin").stdout.strip()
    assert antiphon("chat", "--once", "hello").returncode == 0
    workspace = json.loads(antiphon("conversations", "--json").stdout.splitlines()[0])
    where = ("--workspace", str(workspace["workspace_id"]))
    antiphon("members", "add", where[1], program["user_id"], "--role", "admin")
    as_admin = partial(antiphon, ANTIPHON_API_KEY=key)
    for command in ("list", "permissions"):
        assert "say which one is meant, as --workspace" in as_admin("workers", command).stderr
        assert as_admin("workers", command, *where).returncode == 0
    allowed = as_admin("workers", "allow", "ours", program["user_id"], *where)
    assert allowed.returncode == 0, allowed.stderr
    assert ("ours", program["user_id"]) in _permitted(antiphon, *where)
    assert "--workspace" in as_admin("workers", "allow", "ours", program["user_id"]).stderr
