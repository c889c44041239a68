"""How messages and commands are typed in a chat."""

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal

LONG = " ".join(f"w{number}" for number in range(120))  # 2.4 s of echo
CTRL_J, ALT_ENTER, TAB, CTRL_C = "\n", "\x1b\r", "\t", "\x03"
PASTE = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def chat(home: Home):  # type: ignore[no-untyped-def]
    with Terminal(["chat", "--handler", "echo"], home.environment) as terminal:
        terminal.wait_for(">$")
        yield terminal


def say(chat: Terminal, text: str) -> int:
    """Ask, and wait for the answer's end; returns where that is."""
    began = len(chat.seen)
    chat.line(text)
    return chat.wait_for(rf"\n{text}\n(.|\n)* s\n\n>$", after=began - 1).end()


@pytest.mark.parametrize("key", [CTRL_J, ALT_ENTER])
def test_a_message_of_several_lines(chat: Terminal, key: str) -> None:
    """A key begins another line, and Enter sends all of them."""
    chat.line(f"one{key}two")
    chat.wait_for(r"> one\n  two\none\ntwo\n(.|\n)* s\n\n>$")


def test_quotes_hold_several_lines(chat: Terminal) -> None:
    """Enter begins another line until the quotes end; they are no part of the message."""
    for each in ('"""', "one", '"""'):
        chat.line(each)
    chat.wait_for(r'> """\n  one\n  """\none\n(.|\n)* s\n\n>$')


def test_several_lines_come_through_a_pipe(home: Home) -> None:
    """So do messages in quotes, of which the last one ends with the input."""
    shown = home.run("chat", "--handler", "echo", stdin='"""one\ntwo"""\n"""three\nfour\n')
    assert shown.stdout == "one\ntwo\nthree\nfour\n"


def test_what_is_typed_before_the_prompt_is_there_is_sent(home: Home) -> None:
    """Enter is Enter also while the program begins; a line that was not ended waits for its end."""
    with Terminal(["chat", "--handler", "echo"], home.environment) as chat:
        chat.line("too early")
        chat.type("not yet")
        chat.wait_for(r"> too early\ntoo early\n.* s\n\n> not yet$")
        chat.line(" whole")
        chat.wait_for(r"> not yet whole\nnot yet whole\n")


def test_a_question_comes_from_a_pipe(home: Home) -> None:
    """All of it is one question."""
    shown = home.run("chat", "--handler", "echo", "--once", "-", stdin="one\ntwo\n")
    assert shown.stdout == "one\ntwo\n"
    assert home.run("chat", "--once", "-", stdin="").returncode == 2


def test_what_is_pasted_during_an_answer_is_one_message(chat: Terminal, home: Home) -> None:
    """Lines that came with a paste wait together for Enter; Ctrl-C throws nothing away."""
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    chat.type(PASTE.format("first line\rsecond line\rthird line") + "\r")
    chat.line("and then")
    chat.type(CTRL_C)
    chat.wait_for(r"stopped · (.|\n)*\n> first line\n  second line\n  third line\n")
    chat.wait_for(r"\nfirst line\nsecond line\nthird line\n(.|\n)*> and then\nand then\n")


def test_conversations_are_opened_by_number_and_title(chat: Terminal) -> None:
    """The numbers are those of the list; a title may be completed with Tab."""
    say(chat, "first words")
    chat.line("/new")
    chat.wait_for("A new conversation")
    end = say(chat, "other words")
    chat.line("/list")
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    chat.wait_for(
        rf"\n 1  conv_\w+  {when}  other words\n 2  conv_\w+  {when}  first words\n", after=end
    )
    chat.line("/open 2")
    end = chat.wait_for(r"> /open 2\n\n> first words\nfirst words\n\n>$").end()
    chat.line("/open 7")
    chat.wait_for("there is no number 7 in the list")
    chat.line("/open nothing")
    chat.wait_for("no conversation is called nothing")
    chat.type("/op" + TAB + " oth" + TAB)
    chat.wait_for("> /open other words$")
    chat.line("")
    end = chat.wait_for(r"> /open other words\n\n> other words\nother words\n\n>$", after=end).end()
    chat.line("/open THER")
    end = chat.wait_for(r"/open THER\n\n> other words\nother words\n\n>$", after=end).end()
    chat.line("/open words")
    chat.wait_for(
        r"\n 1  conv_.*  other words\n 2  conv_.*  first words\nwhich of these\?", after=end
    )


def test_tab_completes_models_and_handlers(chat: Terminal) -> None:
    """What is chosen is said; what there is not is refused."""
    chat.type("/model loc" + TAB)
    chat.wait_for("> /model local/smollm2-135m$")
    chat.line("")
    chat.wait_for("Asking local/smollm2-135m from now on")
    chat.type("/handler ec" + TAB)
    chat.wait_for("> /handler echo$")
    chat.line("")
    chat.wait_for("echo answers from now on")
    chat.line("/handler nobody")
    chat.wait_for("there is no handler nobody")


def test_an_answer_goes_on(chat: Terminal) -> None:
    """/continue asks for it, where something was said before; it is no question for /retry."""
    chat.line("/continue")
    chat.wait_for("Nothing was asked here yet")
    end = say(chat, "first words")
    chat.line("/continue")
    said = "Go on where you stopped\\."
    end = chat.wait_for(rf"Asking: {said}\n{said}\n(.|\n)* s\n\n>$", after=end).end()
    chat.line("/retry")
    end = chat.wait_for(r"Asking again: first words\nfirst words\n(.|\n)* s\n\n>$", after=end).end()
    chat.line("/open 1")
    end = chat.wait_for(r"/open 1\n(.|\n)*>$", after=end).end()
    chat.line("/continue")
    end = chat.wait_for(rf"Asking: {said}\n{said}\n(.|\n)* s\n\n>$", after=end).end()
    chat.line("/retry")
    chat.wait_for(r"Asking again: first words\n", after=end)


def test_a_question_is_asked_again(chat: Terminal) -> None:
    """/retry asks the last one, also of a conversation that was opened."""
    chat.line("/retry")
    chat.wait_for("Nothing was asked here yet")
    end = say(chat, "once more")
    chat.line("/retry")
    chat.wait_for(r"Asking again: once more\nonce more\n(.|\n)* s\n\n>$", after=end)
    end = chat.wait_for(r"> /retry\n.*\nonce more\n.* s\n\n>$").end()
    chat.line("/open 1")
    end = chat.wait_for(r"/open 1\n(.|\n)*>$", after=end).end()
    chat.line("/retry")
    chat.wait_for(r"Asking again: once more\nonce more\n", after=end)


def test_the_last_conversation_is_opened_and_read_backwards(chat: Terminal, home: Home) -> None:
    """--last needs no ID; of earlier messages there are more by a command."""
    for number in range(5):
        say(chat, f"word{number}")
    with Terminal(["chat", "--last"], home.environment) as other:
        other.wait_for(r"… 4 earlier messages; /more shows them\n\n> word2\n(.|\n)*>$")
        other.line("/more")
        other.wait_for(r"> /more\n\n> word0\nword0\n\n> word1\nword1\n\n>$")
        other.line("/more")
        other.wait_for("There are no earlier messages")
        other.line("/retry")
        other.wait_for("Asking again: word4\n")
    assert home.run("chat", "--last", "-c", "conv_12345678").returncode == 2
