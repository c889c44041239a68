"""``antiphon routes``: rules shown, set, tried, explained, and set again."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Home, Run
from tests.cli.test_commands import objects

FORMS = """
[[rules]]
name = "forms"
match = { types = ["form.submitted"] }
handler = "echo"
"""
BOTH = (
    FORMS
    + """
[[rules]]
name = "money"
priority = 10
match = { languages = ["de"], text_patterns = ['(?i)\\brechnung'], metadata = { "a.b" = "*" } }
handler = "reviewer"
fallback = "echo"

[[rules]]
name = "experts"
priority = -1
classifier = { ask = { most = 2, min_score = 0.1, wait = "5400s" } }
"""
)
Write = Callable[[str], str]


@pytest.fixture(autouse=True)
def none(antiphon: Run) -> None:
    """No routes stand before each test."""
    assert antiphon("routes", "set", "-", stdin="rules = []").returncode == 0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of rules, and says where."""

    def write(text: str) -> str:
        (tmp_path / "routes.toml").write_text(text)
        return str(tmp_path / "routes.toml")

    return write


@pytest.fixture
def conversation(antiphon: Run) -> str:
    """One of a German's, in which something was said that names no handler."""
    said = ("--type", "form.submitted", "--language", "de", "--json")
    (done,) = objects(antiphon("chat", "--once", "hello", *said).stdout)
    return str(done["conversation_id"])


def test_what_is_set_is_shown_in_words_and_as_a_file(antiphon: Run, write: Write) -> None:
    """The file that is printed sets the same."""
    path = write(BOTH)
    made = antiphon("routes", "set", path, "--comment", "money has an expert")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == ["+ experts", "+ forms", "+ money"]
    shown = antiphon("routes", "show").stdout.splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [
        ["10", "money"],
        ["0", "forms"],
        ["-1", "experts"],
    ]
    assert r"metadata a.b=*; language de; text (?i)\brechnung" in shown[1]
    assert shown[3].split(maxsplit=2)[2].split("  ")[0] == "everything"
    assert shown[3].endswith("  best expert, else asks  next rule")
    toml = antiphon("routes", "show", "--toml").stdout
    again = antiphon("routes", "set", "-", stdin=toml)
    assert (again.returncode, again.stdout) == (0, "")
    assert "Nothing changes" in again.stderr
    Path(path).write_text(toml)
    told = json.loads(antiphon("routes", "set", path, "--json").stdout)
    assert told == json.loads(antiphon("routes", "show", "--json").stdout)
    assert told["comment"] == "money has an expert"


def test_a_handler_that_nobody_serves_is_marked(antiphon: Run, write: Write) -> None:
    """A typo is taken, since a worker may come; but not without a word."""
    path = write(FORMS.replace('"echo"', '"ecko"'))
    for command in (("set", path), ("show",), ("try", path)):
        shown = antiphon("routes", *command)
        assert shown.returncode == 0
        assert "! nobody serves ecko now (did you mean echo?)" in shown.stderr
    antiphon("routes", "set", write(BOTH))
    assert "! nobody serves reviewer now\n" in antiphon("routes", "show").stderr
    assert "nobody" not in antiphon("routes", "set", write(FORMS)).stderr


def test_what_is_changed_is_said(antiphon: Run, write: Write) -> None:
    """By the rules' names, with their fields."""
    antiphon("routes", "set", write(BOTH))
    other = BOTH.replace("priority = 10", "priority = 11").replace('"echo"\n\n', '"assistant"\n\n')
    other = other.replace('"forms"', '"all-forms"')
    made = antiphon("routes", "set", write(other))
    assert made.stdout.splitlines() == ["+ all-forms", "- forms", "~ money: priority, fallback"]


def test_those_of_others_are_not_replaced_unseen(antiphon: Run, write: Write) -> None:
    """Who says which revision they have seen is told of a newer one, and what to do."""
    first = json.loads(antiphon("routes", "set", write(FORMS), "--json").stdout)
    antiphon("routes", "set", write(BOTH))
    late = antiphon("routes", "set", write("rules = []"), "--if-revision", first["revision"])
    assert late.returncode == 1
    assert "somebody has set other routes meanwhile: look at them" in late.stderr
    assert len(json.loads(antiphon("routes", "show", "--json").stdout)["rules"]) == 3


def test_what_they_were_is_listed_and_set_again(antiphon: Run, write: Write) -> None:
    """By a new revision; the trail knows of each."""
    first = json.loads(
        antiphon("routes", "set", write(FORMS), "--comment", "forms first", "--json").stdout
    )
    old = first["revision"]
    antiphon("routes", "set", write("rules = []"))
    assert "There are no rules of all workspaces since" in antiphon("routes", "show").stderr
    assert "forms" in antiphon("routes", "show", "--revision", old).stdout
    made = antiphon("routes", "restore", old)
    assert (made.returncode, made.stdout) == (0, "+ forms\n")
    assert f"revision {int(old) + 2} from now on" in made.stderr
    rows = [it.split(maxsplit=4) for it in antiphon("routes", "history").stdout.splitlines()[1:]]
    assert [row[0] for row in rows[:3]] == [str(int(old) + it) for it in (2, 1, 0)]
    assert [rows[it][3:] for it in (0, 2)] == [
        ["local", f"as revision {old}"],
        ["local", "forms first"],
    ]
    told = antiphon("audit", "tail", "--kind", "routes_set").stdout
    assert "resource=global" in told.splitlines()[-1]
    missing = antiphon("routes", "restore", "10000")
    assert missing.returncode == 1
    assert "there is no revision 10000 of the routes of global" in missing.stderr


def test_rules_are_tried_on_turns_that_were(antiphon: Run, write: Write, conversation: str) -> None:
    """Who would have got how many, and which turns would have moved, and why; nothing is set."""
    tried = antiphon("routes", "try", write(FORMS))
    assert tried.returncode == 0, tried.stderr
    counts, moved = tried.stdout.split("\n\n")
    assert counts.splitlines()[1].split() == ["echo", "1", "100%"]
    (row,) = moved.splitlines()[1:]
    assert "  assistant  echo  " in row
    assert f"the rule forms says so  {conversation}" in row
    assert "1 of 1 turns would have gone elsewhere." in tried.stderr
    assert json.loads(antiphon("routes", "try", write(FORMS), "--json").stdout)["tried"] == 1
    workspace = json.loads(antiphon("conversations", "--json").stdout)["workspace_id"]
    where = ("-w", workspace, "--turns", "1")
    assert "0 of 1 turns" in antiphon("routes", "try", write("rules = []"), *where).stderr
    assert antiphon("routes", "show").stdout == ""


def test_who_would_get_a_message_is_explained(
    antiphon: Run, write: Write, conversation: str
) -> None:
    """In words, of each way in which it is decided."""
    explain = partial(antiphon, "routes", "explain", conversation)
    nothing = explain("hello").stdout
    assert nothing.startswith("assistant gets it: no rule decides, so it is the default handler.")
    assert "No routes stand there: `antiphon routes set FILE` sets some." in nothing
    revision = json.loads(antiphon("routes", "set", write(BOTH), "--json").stdout)["revision"]
    form = explain("hello", "--type", "form.submitted")
    assert form.stdout.splitlines() == [
        "echo gets it: the rule forms says so.",
        f"By the routes of all workspaces, revision {revision}.",
    ]
    away = explain("Wo ist die Rechnung?", "--metadata", "a.b=c").stdout.splitlines()
    assert away[:2] == [
        "echo gets it: nobody serves reviewer now, so it is the fallback of the rule money.",
        "Passed over, as nobody serves them now: reviewer.",
    ]
    told = json.loads(explain("hello", "--json").stdout)
    assert told["outcome"] == "ROUTE_OUTCOME_DEFAULT"


def test_a_chat_says_who_was_found_by_which_rule(antiphon: Run, write: Write) -> None:
    """Beside what it says of an answer; nothing of a turn that no rule decided."""
    antiphon("routes", "set", write(FORMS))
    said = ("--type", "form.submitted")
    shown = antiphon("chat", *said, stdin="hello\n/quit\n")
    assert "echo: the rule forms says so · " in shown.stdout + shown.stderr
    shown = antiphon("chat", stdin="hello\n/quit\n")
    assert "rule" not in shown.stdout + shown.stderr
    once = ("chat", *said, "--once", "hello", "--json")
    assert json.loads(antiphon(*once).stdout)["route"]["rule"] == "forms"
    assert json.loads(antiphon(*once, "--handler", "echo").stdout)["route"] == {}


def test_what_was_decided_of_a_turn_is_told(antiphon: Run, write: Write) -> None:
    """In the words of explain, by the log's turn; of one that no rule decided that too."""
    revision = json.loads(antiphon("routes", "set", write(FORMS), "--json").stdout)["revision"]
    (done,) = objects(
        antiphon("chat", "--once", "hello", "--type", "form.submitted", "--json").stdout
    )
    where = str(done["conversation_id"])
    accepted = ("--from", "earliest", "--kinds", "turn_accepted", "--count", "1")
    line = antiphon("tail", where, *accepted).stdout
    assert f"{done['turn_id']} goes to echo: the rule forms says so" in line
    told = antiphon("routes", "explain", where, "--turn", str(done["turn_id"]))
    assert told.stdout.splitlines() == [
        "echo got it: the rule forms says so.",
        f"By the routes of all workspaces, revision {revision}.",
    ]
    (named,) = objects(
        antiphon("chat", "-c", where, "--once", "x", "--json", "--handler", "echo").stdout
    )
    told = antiphon("routes", "explain", where, "--turn", str(named["turn_id"]))
    assert told.stdout == "echo got it: its caller named it, or no routes stood then.\n"
    for wrong in ((), ("x", "--turn", "turn_1")):
        assert antiphon("routes", "explain", where, *wrong).returncode == 2


def test_a_workspaces_rules_are_its_own(antiphon: Run, write: Write, conversation: str) -> None:
    """They go before those of all, and stand in no other list."""
    workspace = json.loads(antiphon("conversations", "--json").stdout.splitlines()[0])
    where = ("--workspace", str(workspace["workspace_id"]))
    made = antiphon("routes", "set", write(FORMS), *where)
    assert f"The routes of {where[1]} are revision 1 from now on." in made.stderr
    assert "forms" in antiphon("routes", "show", *where).stdout
    assert "None were set" not in antiphon("routes", "show").stdout
    explained = antiphon("routes", "explain", conversation, "x", "--type", "form.submitted").stdout
    assert f"By the routes of {where[1]}, revision 1." in explained
    antiphon("routes", "set", write("rules = []"), *where)


WRONG = {
    "no file": (None, "routes.toml: No such file"),
    "no TOML": ("[[rules", "routes.toml is no TOML: "),
    "nothing": ("", "has no list of rules: write [[rules]] for each rule, or rules = []"),
    "other": ("rule = []", "there is no rule in it, only rules: write [[rules]]"),
    "field": (
        '[[rules]]\nname = "a"\nhandlr = "b"',
        "rule 1 (a): there is no field handlr; a rule has name, priority, match, handler, "
        "classifier, fallback",
    ),
    "deep": (
        '[[rules]]\nname = "a"\nmatch = { language = ["de"] }',
        "rule 1 (a): there is no field match.language; match has types, media_types, metadata, "
        "labels, languages, senders, workspaces, text_patterns",
    ),
    "camel": ('[[rules]]\nmatch = { textPatterns = ["a"] }', "rule 1: there is no field match."),
    "no list": (
        '[[rules]]\nname = "a"\nmatch = { languages = "de" }',
        "match.languages has to be a list, and each of it a text",
    ),
    "no text": ("[[rules]]\nname = 3", "rule 1: name has to be a text"),
    "no number": ("[[rules]]\npriority = true", "priority has to be a whole number"),
    "no table": ("[[rules]]\nmatch = 3", "match has to be a table"),
    "no texts": ("[[rules]]\nmatch = { metadata = { a = 1 } }", "has to be a table of texts"),
    "no rule": ("rules = [1]", "rule 1: it has to be a table"),
    "large": ("[[rules]]\npriority = 99999999999", "rule 1: Failed to parse priority field"),
    "high": (FORMS + "priority = 1001", "rule 1 (forms): priority must be"),
    "name": (FORMS.replace('"forms"', '"Forms"'), "rule 1 (Forms): name is no name of a rule"),
    "twice": (FORMS * 2, "rule 2 (forms): name is that of rule 1 (forms)"),
    "pattern": (
        FORMS.replace("types", "text_patterns").replace("form.submitted", "(?i"),
        "rule 1 (forms): match.text_patterns[0] is no pattern of RE2: ",
    ),
    "language": (
        FORMS.replace("types", "languages").replace("form.submitted", "German!"),
        "rule 1 (forms): match.languages[0] is no tag of a language: write one like de",
    ),
    "key": (
        FORMS.replace('types = ["form.submitted"]', 'metadata = { "A b" = "c" }'),
        "rule 1 (forms): match.metadata",
    ),
    "handler": (FORMS.replace('"echo"', '"Echo"'), "handler is no handler: write small letters"),
    "asks": (
        FORMS + '[[rules]]\nname = "a"\nclassifier = { ask = { most = 9 } }',
        "rule 2 (a): classifier.ask.most must be",
    ),
    "waits": (
        '[[rules]]\nname = "a"\nclassifier = { ask = { wait = "2592001s" } }',
        "rule 1 (a): classifier.ask.wait must be",
    ),
    "no time": (
        '[[rules]]\nname = "a"\nclassifier = { ask = { wait = "1h" } }',
        'classifier.ask.wait has to be a number of seconds: "0.5s"',
    ),
    "neither": ('[[rules]]\nname = "a"', "rule 1 (a): "),
    "many": ("".join(FORMS.replace("forms", f"a{it}") for it in range(101)), "rules must contain"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("command", ["set", "try"])
def test_what_is_wrong_with_a_file_is_said(
    antiphon: Run, write: Write, command: str, text: str | None, said: str
) -> None:
    """With the file, the rule, the field, and what to do; nothing is set."""
    path = write(text or "")
    if text is None:
        Path(path).unlink()
    refused = antiphon("routes", command, path, COLUMNS="1000")
    assert (refused.returncode in (1, 2), refused.stdout) == (True, "")
    assert path in refused.stderr
    assert said in refused.stderr
    assert antiphon("routes", "show").stdout == ""


def test_who_operates_nothing_asks_of_a_workspace(antiphon: Run) -> None:
    """An admin of one alone is told how to say which."""
    antiphon("users", "create", "router", "--program")
    key = antiphon("keys", "create", "x", "--user", "router").stdout.strip()
    as_admin = partial(antiphon, ANTIPHON_API_KEY=key)
    for command in (("show",), ("history",), ("restore", "1"), ("set", "-"), ("try", "-")):
        refused = as_admin("routes", *command, stdin="rules = []")
        assert "say which one is meant, as --workspace ws_…" in refused.stderr


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a server on which nobody has set anything."""
    home = Home(tmp_path_factory.mktemp("untouched"))
    with home.server():
        yield home


def test_where_none_were_set_it_is_said(untouched: Home, write: Write) -> None:
    """And how some come; nothing is there to be tried on."""
    for command in ("show", "history"):
        shown = untouched.run("routes", command)
        assert (shown.returncode, shown.stdout) == (0, "")
        assert "None were set of all workspaces. `antiphon routes set FILE` sets" in shown.stderr
    assert untouched.run("routes", "show", "--toml").stdout.endswith("rules = []\n")
    assert "nothing to try" in untouched.run("routes", "try", write(FORMS)).stderr
