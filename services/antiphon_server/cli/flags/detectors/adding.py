"""``antiphon flags detectors add``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Asked, Comment, Where


def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What flags call it: small letters, digits, -.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="rate, repetition, verdicts, cost, new-place or odd-hours.",
        ),
    ],
    about: Annotated[
        str,
        typer.Option(
            "--about",
            metavar="WHAT",
            help="Of what it keeps figures: each user, session, conversation or workspace.",
        ),
    ] = "user",
    most: Annotated[
        int | None,
        typer.Option(
            "--most",
            metavar="N",
            help="So many in a window are too many for anybody: messages (60), "
            "the same (10), verdicts (5), tokens (1000000).",
        ),
    ] = None,
    times: Annotated[
        float | None,
        typer.Option(
            "--times",
            metavar="N",
            help="rate, cost: so many times what is usual for this one is too much; 8 if unsaid.",
        ),
    ] = None,
    window_s: Annotated[
        float | None,
        typer.Option(
            "--window",
            metavar="SECONDS",
            help="How much of the past counts; unsaid: rate 60, repetition 300, verdicts "
            "and cost 600, others 3600.",
        ),
    ] = None,
    effect: Annotated[
        str, typer.Option("--effect", metavar="EFFECT", help="none, throttle or review.")
    ] = "none",
    effect_s: Annotated[
        float | None,
        typer.Option(
            "--for",
            metavar="SECONDS",
            help="How long that lasts behind the last time; 600 if unsaid.",
        ),
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option(
            "--per-minute",
            metavar="N",
            help="throttle: so many messages are still taken in a minute; 2 if unsaid.",
        ),
    ] = None,
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Add one detector. One of that name is replaced.

    `review` marks flags for people, and takes all that is said. All else that a detector may be
    told stands in a file: `antiphon flags detectors set`.

    For example:

    - `antiphon flags detectors add floods --kind rate --most 60 --effect throttle`
    - `antiphon flags detectors add same --kind repetition --about conversation`
    - `antiphon flags detectors add spending --kind cost --window 600 --workspace ws_…`
    """
    from antiphon_server.cli.flags.detectors.making import Told, made
    from antiphon_server.cli.flags.detectors.rules import DETECTORS
    from antiphon_server.cli.rules.changing import change, put

    told = Told(kind, about, most, times, window_s, effect, effect_s, per_minute)
    asked = Asked(workspace, json, address, data_dir)
    run(change(DETECTORS, put(made(name, told)), asked, comment))
