"""``antiphon chat``: from arguments to a running chat."""

import io
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, as_typed, fail, print_json
from antiphon_server.cli.options import Address, DataDir
from antiphon_server.cli.pairs import Labels, Language, language_of, pairs_of, type_of

if TYPE_CHECKING:
    from antiphon_server.cli.chat.talk import Wishes


def chat(
    once: Annotated[
        str | None,
        typer.Option(
            "--once",
            metavar="TEXT",
            help="Ask this (- is the input), print the answer, leave.",
        ),
    ] = None,
    conversation: Annotated[
        str,
        typer.Option("--conversation", "-c", metavar="ID", help="Go on with a conversation."),
    ] = "",
    last: Annotated[
        bool, typer.Option("--last", help="Go on with the one in which you talked last.")
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Which model to ask, see `antiphon models`; repeated: which next if that fails.",
        ),
    ] = None,
    handler: Annotated[
        str, typer.Option("--handler", help="Who shall answer, e.g. `assistant` or `echo`.")
    ] = "",
    tool: Annotated[
        list[str] | None,
        typer.Option(
            "--tool",
            metavar="NAME",
            help="A tool that the model may ask for, or all of a source: `antiphon.*`; repeatable.",
        ),
    ] = None,
    type_name: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="What messages are, for routes and workers: `form.submitted`, `command`.",
        ),
    ] = "",
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata",
            metavar="KEY=VALUE",
            help="What is said of messages to routes and workers, not to models; repeatable.",
        ),
    ] = None,
    label: Labels = None,
    language: Language = "",
    trees: Annotated[
        bool,
        typer.Option(
            "--trees", help="Where others work for the answer: show what each of them says, too."
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="With --once: print the answer as a JSON object.")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Without a terminal: wait until others have decided about calls of tools.",
        ),
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Talk to a model: the answer streams in as it comes.

    Where no server runs on this machine, one is started for as long as the chat takes.
    Ctrl-C stops an answer; at the prompt, Ctrl-C twice or Ctrl-D leaves. If the server goes
    and comes back, even in the middle of an answer, the chat goes on. What others say in the
    conversation, and what they are answered, is shown as well. `/help` tells the rest.

    Where a call of a tool waits for a person and there is no terminal to ask at, it is told how to
    decide, and the exit code is 3: the answer goes on when somebody has (`antiphon calls`).

    For example:

    - `antiphon chat`
    - `antiphon chat --last`
    - `antiphon chat --once "What is the capital of France?"`
    - `git diff | antiphon chat --once -`
    - `antiphon chat --tool antiphon.time` (see `antiphon tools`)
    - `antiphon chat --conversation conv_… --model openai/gpt-4.1-mini`
    - `antiphon chat --label team=sales --language de` (a conversation that is begun with it)
    - `antiphon chat --once '{"item": 7}' --type form.submitted --metadata form=order`
    """
    if once == "-":
        once = sys.stdin.read()
    if once is not None and not once.strip():
        fail("there is nothing to ask; write something after --once", 2)
    if json and once is None:
        fail("--json needs --once", 2)
    if last and conversation:
        fail("--last and --conversation name two; leave one out", 2)
    if (last or conversation) and (label or language):
        which = conversation or "conv_…"
        fail(
            "--label and --language are of a conversation that is begun; of one that there is, "
            f"`antiphon conversations set {as_typed(which)}` sets them",
            2,
        )
    from antiphon_server.cli.chat.named_tools import check_written
    from antiphon_server.cli.chat.talk import Wishes

    check_written(tool or ())
    with ExitStack() as stack:
        where = None if last else conversation
        wishes = Wishes(
            *(handler, model or (), tool or (), trees),
            *(type_of(type_name), pairs_of("--metadata", metadata or ())),
            *(pairs_of("--label", label or ()), language_of(language)),
        )
        raise typer.Exit(_chat(stack, once, where, wishes, json, wait, address, data_dir))


def _chat(
    stack: ExitStack,
    once: str | None,
    conversation: str | None,
    wishes: "Wishes",
    json: bool,
    wait: bool,
    address: str,
    data_dir: DataDir,
) -> int:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.chat.dialogue import Dialogue
    from antiphon_server.cli.chat.keys import unread_keys
    from antiphon_server.cli.chat.left_waiting import LeftWaiting, as_json, told
    from antiphon_server.cli.chat.loop_thread import LoopThread
    from antiphon_server.cli.chat.opening import open_talk
    from antiphon_server.cli.chat.screen import Screen
    from antiphon_server.cli.explain import explain

    screen = Screen(io.StringIO()) if json else Screen()  # JSON is printed at the end
    typed = b""
    try:
        if once is None and screen.is_terminal:
            typed = stack.enter_context(unread_keys())
        loop = stack.enter_context(LoopThread())
        talk = open_talk(stack, loop, screen, wishes, address, data_dir, listens=once is None)
        loop.call(talk.check_models(wishes.models))
        dialogue = Dialogue(loop, talk, screen, typed, patient=wait)
        if conversation is None:
            newest = loop.call(talk.conversations(1))
            conversation = newest[0].conversation_id if newest else ""
        if wishes.tools:
            count_and_wrong = loop.call(talk.take_tools(conversation))
            if len(count_and_wrong) > (once is not None):
                screen.note("; ".join(count_and_wrong))
        if once is not None:
            return dialogue.once(once, conversation, json)
        return dialogue.run(conversation)
    except LeftWaiting as left:
        for line in told(left):
            screen.note(as_typed(line))
        if json:
            print_json(as_json(left))
        return left.exit_code
    except AntiphonError as error:
        screen.clear_status()
        raise CommandError(explain(error)) from None
    except KeyboardInterrupt:
        screen.end_line()
        return 130
