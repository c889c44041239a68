import json
import re
from pathlib import Path

import pytest
import typer

from antiphon_client import Client, Password, Tokens
from antiphon_server.cli.chat.command import chat
from antiphon_server.cli.options import KEY_VARIABLE
from antiphon_server.cli.paths import OPERATOR_FILE, SERVER_FILE
from tests.cli.conftest import Home, Run
from tests.cli.terminal import Terminal


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def conversation(shared_home: Home, address: str) -> str:
    """A conversation in which something was said."""
    shown = shared_home.run("chat", "--once", "one two three", "--handler", "echo", "--json")
    return str(json.loads(shown.stdout)["conversation_id"])


def test_once_prints_the_answer_and_nothing_else(antiphon: Run) -> None:
    """Stdout is the answer, as plain text; what happens is told on stderr."""
    shown = antiphon("chat", "--once", "one two three", "--handler", "echo")
    assert (shown.returncode, shown.stdout) == (0, "one two three\n")
    assert "sending" in shown.stderr
    assert "\x1b" not in shown.stdout + shown.stderr


def test_once_can_answer_in_json(antiphon: Run) -> None:
    """A script gets the text, and what it needs to go on."""
    shown = antiphon("chat", "--once", "one two", "--handler", "echo", "--json")
    answer = json.loads(shown.stdout)
    assert (answer["text"], answer["state"], answer["error"]) == ("one two", "succeeded", "")
    assert answer["omitted_messages"] == 0
    assert answer["usage"]["output_tokens"] == "0"


def test_lines_from_a_pipe_are_messages(antiphon: Run) -> None:
    """Without a keyboard each line is asked, and the end of input leaves."""
    shown = antiphon("chat", "--handler", "echo", stdin="one\ntwo\n/quit\n")
    assert (shown.returncode, shown.stdout) == (0, "one\ntwo\n")


def test_a_chat_needs_no_folder_of_its_own(
    shared_home: Home, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is signed in at somebody else's server on the default port chats there, from anywhere."""
    monkeypatch.setattr("antiphon_server.cli.where.DEFAULT_ADDRESS", address)
    monkeypatch.setenv(KEY_VARIABLE, (shared_home.data_dir / OPERATOR_FILE).read_text().strip())
    folder = tmp_path / "none" / "yet"
    with pytest.raises(typer.Exit) as left:
        chat(once="hi", handler="echo", data_dir=folder)
    assert left.value.exit_code == 0
    assert not folder.exists()


def test_a_conversation_goes_on(antiphon: Run, conversation: str) -> None:
    """--conversation shows what was said last, then goes on."""
    shown = antiphon("chat", "-c", conversation, "--handler", "echo", stdin="four\n")
    assert "one two three" in shown.stdout
    assert shown.stdout.endswith("four\n")


def test_a_conversation_is_archived_and_taken_back(antiphon: Run, conversation: str) -> None:
    """It is listed as archived meanwhile, and found by its title there."""

    def ids(*options: str) -> list[str]:
        shown = antiphon("conversations", *options, "--json").stdout
        return [str(found["conversation_id"]) for found in objects(shown)]

    put_away = antiphon("conversations", "archive", conversation)
    assert f"antiphon conversations unarchive {conversation}" in put_away.stderr
    assert conversation not in ids()
    assert conversation in ids("--archived")
    assert conversation in ids("list", "--archived")
    assert "none with that in their title" in antiphon("conversations", "--title", "xyz").stderr
    assert antiphon("conversations", "unarchive", conversation).stderr.startswith("in use again")
    assert conversation in ids()
    assert ids("--archived") == []
    assert antiphon("conversations", "unarchive", "conv_unknown0").returncode == 1


def test_a_notice_is_published_shown_in_a_chat_and_withdrawn(antiphon: Run) -> None:
    """Who chats sees it at the start; a time that is none is refused before anything is said."""
    assert antiphon("notices", "publish", "Back soon.", "--for", "soon").returncode == 2
    published = antiphon("notices", "publish", "Back\nsoon.", "--for", "2h")
    notice_id = published.stderr.partition(":")[0]
    assert f"{notice_id}  " in antiphon("notices", "list").stdout
    assert "Notice: Back soon." in antiphon("chat").stderr
    assert antiphon("notices", "withdraw", notice_id).stderr.startswith("withdrawn")
    assert notice_id not in antiphon("notices", "list").stdout
    assert "withdrawn" in antiphon("notices", "list", "--ended").stdout


def test_conversations_are_listed(antiphon: Run, conversation: str) -> None:
    """The list has the title, which is the first message."""
    line = next(
        line for line in antiphon("conversations").stdout.splitlines() if conversation in line
    )
    assert line.endswith("one two three")
    ids = [
        found["conversation_id"] for found in objects(antiphon("conversations", "--json").stdout)
    ]
    assert conversation in ids


def test_a_wrong_model_leaves_no_conversation(antiphon: Run, conversation: str) -> None:
    """Nothing is begun for a question that can't be asked."""
    before = antiphon("conversations", "--json").stdout
    assert antiphon("chat", "--once", "hi", "--model", "no/model").returncode == 1
    assert antiphon("conversations", "--json").stdout == before


def test_models_are_listed(antiphon: Run) -> None:
    """The default model comes first."""
    first = objects(antiphon("models", "--json").stdout)[0]
    assert (first["name"], first["default"]) == ("local/smollm2-135m", True)
    headings, model = antiphon("models").stdout.splitlines()
    assert headings.split()[:2] == ["MODEL", "STATE"]
    assert re.fullmatch(r"local/smollm2-135m +default +text, tools +[\d,]+ +free", model)


def test_a_log_is_read_and_gone_on_with(antiphon: Run, conversation: str) -> None:
    """Each line's cursor leads right behind it."""
    first = objects(
        antiphon("tail", conversation, "--from", "earliest", "-n", "3", "--json").stdout
    )
    assert [found["last_offset"] for found in first] == ["1", "2", "3"]
    cursor = str(first[1]["cursor"])
    [third] = objects(antiphon("tail", conversation, "--from", cursor, "-n", "1", "--json").stdout)
    assert third["last_offset"] == "3"


def test_a_log_is_shown_to_people(antiphon: Run, conversation: str) -> None:
    """One line an event, filtered by kind."""
    arguments = ["--from", "earliest", "--kinds", "message_posted", "-n", "2"]
    shown = antiphon("tail", conversation, *arguments)
    lines = shown.stdout.splitlines()
    assert len(lines) == 2
    assert f"following conversations/{conversation} from its beginning" in shown.stderr
    assert all("message_posted" in line and "'one two three'" in line for line in lines)


def test_one_server_is_no_mesh(antiphon: Run) -> None:
    """Whoever asks it for one is told how to start one."""
    shown = antiphon("mesh", "status")
    assert shown.returncode == 1
    assert "Start a mesh with `antiphon up --mesh`" in shown.stderr


def test_doctor_finds_a_running_server_healthy(antiphon: Run) -> None:
    """Every part is checked and nothing is wrong."""
    shown = antiphon("doctor", "--json")
    verdicts = {found["check"]: found["verdict"] for found in objects(shown.stdout)}
    assert shown.returncode == 0
    assert {"versions", "data folder", "disk", "server", "login", "model"} <= set(verdicts)
    assert verdicts["health of the whole"] == verdicts["health of store"] == "ok"


def test_doctor_says_what_to_do(home: Home) -> None:
    """What is wrong comes with a remedy, and the exit code is 1."""
    home.data_dir.mkdir(parents=True, mode=0o700)
    key = home.data_dir / OPERATOR_FILE
    key.write_text("antk_x")
    key.chmod(0o644)
    shown = home.run("doctor", "-a", "127.0.0.1:9")
    assert shown.returncode == 1
    assert f"chmod 600 {key}" in shown.stdout
    assert "no server listens on 127.0.0.1:9" in shown.stdout


async def test_a_token_works(antiphon: Run, address: str) -> None:
    """The printed token calls the server."""
    token = antiphon("token").stdout.strip()
    async with Client.connect(address, Tokens(token)) as client:
        assert (await client.who_am_i()).user.operator


async def test_a_person_signs_in_and_out(shared_home: Home, address: str, home: Home) -> None:
    """Tokens are kept for their owner only, work without a password, and end at logout."""
    async with shared_home.client(address) as client:
        await client.create_user("anna", "correct horse battery")
    arguments = ["login", "-a", address, "--name", "anna"]
    wrong = home.run(*arguments, ANTIPHON_PASSWORD="not the password")
    assert wrong.returncode == 1
    assert "knows no such name and password" in wrong.stderr
    assert "no terminal to ask on" in home.run("login", "-a", address).stderr
    with Terminal(["login", "-a", address], home.environment) as terminal:
        terminal.wait_for("Name:$")
        terminal.line("anna")
        terminal.reply("Password: ", "not the password")
        assert terminal.wait() == 1
        terminal.wait_for("knows no such name and password")
    right = home.run(*arguments, ANTIPHON_PASSWORD="correct horse battery")
    assert right.stdout == f"Signed in at {address} as anna.\n"
    [kept] = (home.path / "state" / "antiphon" / "logins").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert home.run("conversations", "-a", address).returncode == 0
    out = home.run("logout", "-a", address)
    assert out.stdout == "Signed out.\n"
    assert f"antiphon login -a {address}" in out.stderr
    assert home.run("conversations", "-a", address).returncode == 1


async def test_a_chat_says_who_else_wrote(shared_home: Home, address: str, antiphon: Run) -> None:
    """By the name that members of the conversation are told."""
    async with shared_home.client(address) as client:
        ben = await client.create_user("ben", "correct horse battery", display_name="Ben Okafor")
        where = (await client.create_conversation()).conversation_id
        await client.post_message(where, "is anybody there?")
        await client.add_member(where, ben.user_id, "member")
    async with Client.connect(address, Password("ben", "correct horse battery")) as client:
        await client.post_message(where, "I am")
    shown = antiphon("chat", "--conversation", where, stdin="/quit\n")
    assert "> is anybody there?\nBen Okafor> I am\n" in shown.stdout
    assert "Ben Okafor" in antiphon("members", "list", where).stdout


def test_conversations_are_listed_without_a_server(home: Home) -> None:
    """One is started for as long as that takes, on the data that is there, and ends with it."""
    assert home.run("chat", "--once", "first words", "--handler", "echo").returncode == 0
    assert not (home.data_dir / SERVER_FILE).exists()
    listed = home.run("conversations")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.rstrip().endswith("first words")
    assert listed.stderr == "starting a server\n"
    assert not (home.data_dir / SERVER_FILE).exists()
