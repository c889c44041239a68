"""A worker that reviews diffs: ``python -m experts.reviewer --checkout .``."""

import sys
from pathlib import Path

from antiphon_client import AntiphonError
from antiphon_client.worker import Work, Worker, WorkFailed
from experts.flags import ANEW, parser, served, shown
from experts.reviewer.diff import Change, changes, diff_in
from experts.reviewer.judging import Judged
from experts.reviewer.looking import TOOLS, looking
from experts.reviewer.refusals import Refused
from experts.reviewer.tools import ToolFailed
from experts.reviewer.words import INSTRUCTIONS, USAGE, report, task, told

HELP = """A reviewer of code: applies a diff to a copy of a checkout and says what ruff and mypy
find on the lines that it adds; with a model, also what that says of it all.

A diff is a stranger's: nothing of it is run. Only Python files of it are applied, so that it can't
change how the tools are set up, and only to a copy without links; paths that lead elsewhere are
refused. ruff is set up as the checkout says, mypy too, but for plugins. Both run without this
process's environment, for 120 s at most."""
EXAMPLES = (
    "Please review this diff.",
    "Is this patch ready to be merged?",
    "What is wrong with my change to app.py?",
    "Does mypy or ruff find anything on the lines that this pull request adds?",
    "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,4 @@\n+import os",
    "Look over this commit: does the code have bugs?",
    "Bitte sieh dir diese Änderung am Code an.",
    "Prüfe diesen Patch, bevor ich ihn einspiele.",
    "Sind in diesem Diff Fehler?",
    "Was hältst du von meinem Pull Request?",
)


class Reviewer:
    """The handler, on a checkout."""

    def __init__(self, checkout: Path, *, model: bool) -> None:
        self._checkout, self._model = checkout, model

    async def review(self, work: Work) -> None:
        """Look, tell, and have a model say more."""
        if work.resumed_text:
            await work.write(ANEW)
        diff = diff_in(work.message)
        if not diff:
            await work.write(USAGE)
            return
        try:
            text = await self._looked(work, changes(diff))
        except Refused as why:
            raise WorkFailed(str(why)) from None
        await work.write(text)
        if self._model:
            await _spoken(work, task(diff, text))

    async def _looked(self, work: Work, found: list[Change]) -> str:
        """What the tools say, each call of theirs shown. Raises Refused."""
        async with looking(self._checkout, found) as place:
            all_of_it, failures = Judged(), dict[str, str]()
            for tool in TOOLS if place.files else ():
                async with work.tool_call(tool, {"files": place.files}) as call:
                    try:
                        one = await place.look(tool)
                    except ToolFailed as why:
                        failures[tool] = str(why)
                        call.result(str(why), failed=True)
                    else:
                        all_of_it.add(one)
                        call.result(told(one))
            return report(all_of_it, found, failures)


async def _spoken(work: Work, question: str) -> None:
    """A model's words; where none can be asked, the tools' stand alone."""
    begun = False
    try:
        async for text in work.generate(question, instructions=INSTRUCTIONS, history=False):
            await work.write(text if begun else f"\n\n---\n\n{text}")
            begun = True
    except AntiphonError:
        if begun:
            raise


def main() -> None:
    """Read the command line, then serve."""
    flags = parser("reviewer", HELP)
    flags.add_argument("--checkout", type=Path, default=Path(), help="default: this folder")
    flags.add_argument("--no-model", action="store_true", help="ask no model")
    given = flags.parse_args()
    if not given.checkout.is_dir():
        sys.exit(f"--checkout is to be a folder, not {given.checkout}")
    worker = Worker("reviewer", version="1", slots=2, on_connection=shown)
    reviewer = Reviewer(given.checkout.resolve(), model=not given.no_model)
    about = "Reviews diffs of Python code by ruff, mypy and a model."
    worker.handler("reviewer", description=about, examples=EXAMPLES)(reviewer.review)
    served(worker)


if __name__ == "__main__":
    main()
