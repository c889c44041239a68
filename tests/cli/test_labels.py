"""Labels, languages, types and metadata as options give them."""

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.test_commands import objects

ONCE = ("chat", "--handler", "echo", "--once", "hello", "--json")


def test_a_chat_begins_a_conversation_with_them(antiphon: Run) -> None:
    """They are listed, and each message has what was said of it."""
    given = ("--label", "team=sales", "--label", "note=a=b", "--language", "pt-BR")
    said = ("--type", "form.submitted", "--metadata", "form=order", "--metadata", "empty=")
    (done,) = objects(antiphon(*ONCE, *given, *said).stdout)
    made = str(done["conversation_id"])
    (found,) = [
        it
        for it in objects(antiphon("conversations", "--json").stdout)
        if it["conversation_id"] == made
    ]
    assert (found["labels"], found["language"]) == ({"team": "sales", "note": "a=b"}, "pt-BR")
    (line,) = [it for it in antiphon("conversations").stdout.splitlines() if made in it]
    assert line.endswith("hello  (pt-BR, note=a=b, team=sales)")
    tail = ("tail", made, "--from", "earliest", "--kinds", "message_posted", "-n", "2", "--json")
    events: list[Any] = objects(antiphon(*tail).stdout)
    messages = [it["message_posted"]["message"] for it in events]
    assert messages[0]["type"] == "form.submitted"
    assert messages[0]["metadata"] == {"form": "order", "empty": ""}
    assert "type" not in messages[1]


def test_they_are_set_later(antiphon: Run) -> None:
    """What is not given stays; labels go in place of those before."""
    (done,) = objects(antiphon(*ONCE, "--label", "a=1", "--label", "b=2").stdout)
    made = done["conversation_id"]
    shown = antiphon("conversations", "set", made, "--label", "c=3", "--language", "de")
    assert shown.stderr == "set: hello  (de, c=3)\n"
    (found,) = objects(
        antiphon("conversations", "set", made, "--title", "T", "--no-labels", "--json").stdout
    )
    assert (found["title"], found["language"], found.get("labels")) == ("T", "de", None)
    assert antiphon("conversations", "set", "conv_unknown0", "--title", "T").returncode == 1


WRONG = {
    "no value": (("--label", "team"), "write --label KEY=VALUE"),
    "bad key": (("--metadata", "Team=x"), "a key has small letters"),
    "twice": (("--label", "a=1", "--label", "a=2"), "gives a twice"),
    "too long": (("--metadata", f"k={'v' * 257}"), "at most 256 bytes"),
    "too many": ([w for it in range(17) for w in ("--label", f"k{it}=")], "16 is the most"),
    "type": (("--type", "A form"), "write one like form.submitted"),
    "language": (("--language", "German!"), "write one like de"),
    "last": (("--last", "--label", "a=1"), "`antiphon conversations set conv_…`"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_before_anything_is_done(
    antiphon: Run, options: tuple[str, ...], said: str
) -> None:
    """And how it is written."""
    done = antiphon(*ONCE, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_setting_nothing_or_two_things_is_refused(antiphon: Run) -> None:
    """With what there is to set."""
    nothing = antiphon("conversations", "set", "conv_00000001")
    assert (nothing.returncode, "--title, --label" in nothing.stderr) == (2, True)
    two = antiphon("conversations", "set", "conv_00000001", "--label", "a=1", "--no-labels")
    assert (two.returncode, "leave one out" in two.stderr) == (2, True)
