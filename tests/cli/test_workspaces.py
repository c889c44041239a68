"""``antiphon workspaces``, and which one other commands are about."""

import pytest

from tests.cli.conftest import Home, Run
from tests.cli.test_commands import objects
from tests.e2e.readme import commands, prints, run, transcript
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "people.md"
PASSWORD = "correct horse battery"
NAMED = "a workspace's name has 1 to 128 characters"


def made(antiphon: Run, name: str) -> str:
    """The id of a new one."""
    (it,) = objects(antiphon("workspaces", "create", name, "--json").stdout)
    return str(it["workspace_id"])


def listed(antiphon: Run, *options: str) -> dict[object, object]:
    """Names by ids, in their order."""
    shown = antiphon("workspaces", *options, "--json")
    assert shown.returncode == 0, shown.stderr
    return {it["workspace_id"]: it.get("display_name") for it in objects(shown.stdout)}


def test_one_is_made_and_listed_the_newest_first(antiphon: Run) -> None:
    """Each with its id, when it was made, what it is, and its name; it says who can be let in."""
    lab = antiphon("workspaces", "create", "  The lab ")
    headings, row = lab.stdout.splitlines()
    assert headings.split() == ["workspace", "made", "is", "name"]
    which = row.split()[0]
    assert (which[:3], row.split()[3], row[-7:]) == ("ws_", "-", "The lab")
    assert f"antiphon members add {which} WHO" in lab.stderr
    shop = made(antiphon, "The shop")
    for command in (("workspaces",), ("workspaces", "list")):
        _, first, second, *_ = antiphon(*command).stdout.splitlines()
        assert (first.split()[0], second) == (shop, row)
    assert list(listed(antiphon))[:2] == [shop, which]


def test_ones_own_is_told_from_others(antiphon: Run) -> None:
    """The first conversation makes it; it can't be put away, which nothing would take back."""
    antiphon("chat", "--once", "hi", "--handler", "echo")
    found = objects(antiphon("workspaces", "--json").stdout)
    (own,) = [str(it["workspace_id"]) for it in found if it["personal"]]
    (line,) = [it for it in antiphon("workspaces").stdout.splitlines() if own in it]
    assert line.split()[3:] == ["personal", "Personal"]
    refused = antiphon("workspaces", "archive", own, "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "that is your own workspace" in refused.stderr
    assert own in listed(antiphon)


def test_one_is_renamed(antiphon: Run) -> None:
    """Its id stays; a name stays in its line, whatever it says, and is none if it says nothing."""
    lab = made(antiphon, "Lab")
    assert antiphon("workspaces", "rename", lab, "Old lab").stderr == "its name is Old lab\n"
    assert listed(antiphon)[lab] == "Old lab"
    refused = antiphon("workspaces", "rename", lab, " ")
    assert (refused.returncode, refused.stderr) == (1, f"antiphon: {NAMED}\n")
    antiphon("workspaces", "rename", lab, "a\nb\x1b[2J")
    shown = antiphon("workspaces")
    assert "\x1b" not in shown.stdout
    (line,) = [it for it in shown.stdout.splitlines() if lab in it]
    assert line.endswith("  a b [2J")


def test_one_is_archived_if_that_is_meant(antiphon: Run) -> None:
    """It is listed among the archived alone; repeated, that changes nothing."""
    lab = made(antiphon, "Lab")
    asked = antiphon("workspaces", "archive", lab, stdin="n\n")
    assert (asked.returncode, "nothing takes that back" in asked.stderr) == (1, True)
    assert lab in listed(antiphon)
    for _ in range(2):
        done = antiphon("workspaces", "archive", lab, "--yes")
        assert done.stderr == "archived; `antiphon workspaces --archived` lists it\n"
    assert lab not in listed(antiphon)
    for command in (("--archived",), ("list", "--archived")):
        assert listed(antiphon, *command)[lab] == "Lab"
    (line,) = [it for it in antiphon("workspaces", "--archived").stdout.splitlines() if lab in it]
    assert line.split()[3:] == ["archived", "Lab"]


def test_an_erased_one_has_no_name_and_gets_none(antiphon: Run) -> None:
    """It is found among the archived ones."""
    lab = made(antiphon, "Lab")
    assert antiphon("erase", "workspace", lab, "--yes").returncode == 0
    (line,) = [it for it in antiphon("workspaces", "--archived").stdout.splitlines() if lab in it]
    assert line.endswith("archived  (no name)")
    refused = antiphon("workspaces", "rename", lab, "Lab")
    assert refused.returncode == 1
    assert refused.stderr == (
        "antiphon: what was said in the workspace was erased; `antiphon workspaces create NAME` "
        "makes another\n"
    )


WRONG = {
    "no name": (("create", " "), NAMED),
    "long name": (("create", "x" * 129), NAMED),
    "unknown": (("rename", "ws_unknown00", "Lab"), "`antiphon workspaces` lists yours"),
    "no id to rename": (("rename", "lab", "Lab"), "there is no lab, or you have no access to it"),
    "no id to archive": (
        ("archive", "lab", "--yes"),
        "that is no workspace's ID (ws_…); `antiphon",
    ),
    "unknown to archive": (("archive", "ws_unknown00", "--yes"), "there is no ws_unknown00"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(antiphon: Run, words: tuple[str, ...], said: str) -> None:
    """In a sentence, on stderr."""
    done = antiphon("workspaces", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


async def test_members_read_and_admins_change(shared_home: Home, address: str, home: Home) -> None:
    """Whoever may not is told who may; who has no role there learns nothing of it."""
    async with shared_home.client(address) as client:
        lab = (await client.create_workspace("Lab")).workspace_id
        anna = (await client.create_user("anna", PASSWORD)).user_id
        at = ("-a", address)
        home.run("login", *at, "--name", "anna", ANTIPHON_PASSWORD=PASSWORD)
        nothing = home.run("workspaces", *at)
        assert (nothing.returncode, nothing.stdout) == (0, "")
        assert "`antiphon workspaces create NAME`" in nothing.stderr
        hidden = home.run("workspaces", "rename", lab, "Mine", *at)
        assert f"there is no {lab}, or you have no access to it" in hidden.stderr
        await client.add_member(lab, anna, "member")
    assert "Lab" in home.run("workspaces", *at).stdout
    for words in (("rename", lab, "Mine"), ("archive", lab, "--yes")):
        refused = home.run("workspaces", *words, *at)
        assert (refused.returncode, "only admins and owners" in refused.stderr) == (1, True)


async def test_other_commands_are_about_ones_own(
    shared_home: Home, address: str, home: Home
) -> None:
    """Where none is named, also if others were made before it; until it is there, the first one."""
    at = ("-a", address)
    async with shared_home.client(address) as client:
        await client.create_user("bea", PASSWORD)
    home.run("login", *at, "--name", "bea", ANTIPHON_PASSWORD=PASSWORD)
    (made,) = objects(home.run("workspaces", "create", "1", "--json", *at).stdout)
    first = str(made["workspace_id"])
    home.run("workspaces", "create", "2", *at)
    home.run("budgets", "put", "small", "--limit", "1 USD", "--per", "day", *at)
    assert "small" in home.run("budgets", "list", "--workspace", first, *at).stdout
    assert "small" in home.run("budgets", "list", *at).stdout
    assert home.run("chat", "--once", "hi", "--handler", "echo", *at).returncode == 0
    assert "personal" in home.run("workspaces", *at).stdout
    assert "small" not in home.run("budgets", "list", *at).stdout


def test_they_are_listed_without_a_server(home: Home) -> None:
    """One is started for as long as that takes; before any is there, it says how one comes."""
    none = home.run("workspaces")
    assert (none.returncode, none.stdout) == (0, "")
    assert "There are none yet." in none.stderr
    assert "None is archived." in home.run("workspaces", "--archived").stderr


def test_the_guide_runs(home: Home) -> None:
    """Each command of its section prints what it says, once there is somebody to let in."""
    told = transcript("workspaces", GUIDE)
    with home.server() as address:
        given = {**home.environment, "ANTIPHON_ADDRESS": address, "ANTIPHON_NEW_PASSWORD": PASSWORD}
        before = commands("people", GUIDE)
        ran = run([*before, *(command for command, _ in told)], given)[len(before) :]
    wrong = [it for (_, output), it in zip(told, ran, strict=True) if not prints(it, output)]
    assert wrong == []
    assert not any(it.exit_code for it in ran)
