"""``antiphon connections``: those of the installation, and one that is put out of use."""

import json
from functools import partial

import pytest

from antiphon_client import Client, Password
from antiphon_client.errors import PermissionDenied
from tests.cli.conftest import Home

PROGRAMS = json.dumps({"time": {"command": "mcp-server-time"}})
CONNECTIONS = json.dumps([{"name": "clock", "program": "time"}])


def test_an_operator_sees_and_tests_them_first(home: Home) -> None:
    """Before any conversation, without making a workspace; what needs one says so."""
    run = partial(home.run, ANTIPHON_PROGRAMS=PROGRAMS, ANTIPHON_CONNECTIONS=CONNECTIONS)
    listed = run("connections")
    assert listed.returncode == 0, listed.stderr
    name, kind, state, _, where = listed.stdout.splitlines()[-1].split()
    assert (name, kind, where) == ("clock", "program", "time")
    assert state in {"up", "connecting"}  # it waits five seconds for the first probe
    tested = run("connections", "test", "clock")
    assert (tested.returncode, tested.stdout) == (0, "clock is up, 2 tools\n")
    added = run("connections", "add", "mine", "--program", "time")
    assert added.returncode == 1
    assert "you have no workspace yet" in added.stderr
    assert run("connections", "list", "--workspace", "global").returncode == 0
    refused = run("connections", "add", "mine", "--program", "time", "--workspace", "global")
    assert refused.returncode == 1


async def test_users_read_them_and_do_not_test_them(shared_home: Home, address: str) -> None:
    """Every user may read what is of the installation; operators may do more."""
    password = "a long enough password"
    async with shared_home.client(address) as boss:
        await boss.create_user("ann", password)
    async with Client.connect(address, Password("ann", password)) as ann:
        assert [it async for it in ann.list_connections("global")] == []
        with pytest.raises(PermissionDenied):
            await ann.test_connection("global", "clock")


def test_one_is_put_out_of_use_and_back(home: Home) -> None:
    """By the workspace's admin, as it is otherwise; one of the installation by its operator."""
    run = partial(home.run, ANTIPHON_PROGRAMS=PROGRAMS, ANTIPHON_CONNECTIONS=CONNECTIONS)
    run("chat", "--once", "hello", "--handler", "echo")
    run("connections", "add", "mine", "--program", "time", "--title", "Mine")
    off = json.loads(run("connections", "disable", "mine", "--json").stdout)
    assert (off["disabled"], off["title"]) == (True, "Mine")
    assert "mine is out of use" in run("connections", "disable", "mine").stderr
    assert run("tools", "list", "--query", "mine").stdout == ""
    assert "in use again" in run("connections", "enable", "mine").stderr
    assert run("connections", "test", "mine").stdout == "mine is up, 2 tools\n"
    for of_all in (("disable", "clock"), ("delete", "clock"), ("enable", "clock")):
        refused = run("connections", *of_all)
        assert (refused.returncode, "stands in settings" in refused.stderr) == (1, True)
