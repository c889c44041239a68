"""``antiphon schedules pause``, ``resume``, ``run`` and ``delete``."""

from antiphon_server.cli.console import aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.schedules.options import Where, Which, found


def pause(
    schedule: Which,
    conversation: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let nothing be due until it goes on; what would have been due meanwhile is left out.

    Whoever may post in the conversation may do this.

    For example:

    - `antiphon schedules pause sched_…`
    """
    run(_paused(schedule, conversation, json, address, data_dir, paused=True))


def resume(
    schedule: Which,
    conversation: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let a schedule go on that was paused, from now on.

    For example:

    - `antiphon schedules resume sched_…`
    """
    run(_paused(schedule, conversation, json, address, data_dir, paused=False))


def run_now(
    schedule: Which,
    conversation: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Start its turn now, in your own name, also if it is paused; when it is due stays as it is.

    For example:

    - `antiphon schedules run sched_…`
    - `antiphon tail conv_…` (follows what comes)
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            it = await found(client, schedule, conversation)
            turn = await client.run_schedule(it.conversation_id, schedule)
        if json:
            print_json(as_dict(turn))
        else:
            say(f"{turn.turn_id} in {turn.conversation_id}")

    run(work())


def delete(
    schedule: Which, conversation: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Take a schedule away, with what is known of its runs; turns that it has started go on.

    For example:

    - `antiphon schedules delete sched_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            it = await found(client, schedule, conversation)
            await client.delete_schedule(it.conversation_id, schedule)
        aside(f"{schedule} is gone.")

    run(work())


async def _paused(
    schedule: str,
    conversation: str,
    json: bool,
    address: Address,
    data_dir: DataDir,
    *,
    paused: bool,
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.schedules.words import next_of

    async with client_for(address, data_dir) as client:
        it = await found(client, schedule, conversation)
        now = await client.pause_schedule(it.conversation_id, schedule, paused=paused)
    if json:
        print_json(as_dict(now))
    elif paused:
        aside(f"{schedule} is paused; `antiphon schedules resume {schedule}` lets it go on.")
    else:
        aside(f"{schedule} goes on; next: {next_of(now)}.")
