"""A worker that searches documents: ``python -m experts.researcher --folder docs``."""

import asyncio
import os
import sys
from pathlib import Path

from antiphon_client import AntiphonError
from antiphon_client.worker import Work, Worker
from experts.flags import ANEW, parser, served, shown
from experts.researcher.citations import INSTRUCTIONS, quoted, sources, task
from experts.researcher.library import Library
from experts.researcher.sections import Passage

HELP = """A researcher: searches a folder of Markdown for what a message asks about, section by
section, and cites where it stands: guide.md#install, line 12.

With a model it answers from the passages that it finds, in a few sentences with citations, which
are checked; with --no-model, or where none can be asked, it quotes them. The folder is looked at
again with each question: what has changed is read anew. Nothing outside of it is read, nor what
links in it lead to. Who may ask the handler may read all of the folder: choose it so."""
EXAMPLES = (
    "How do I install it?",
    "Where is it documented how a client reconnects?",
    "What does the guide say about backups?",
    "Which settings are there for the database, and what are their defaults?",
    "Search the documentation for rate limits.",
    "Find the section about certificates, and cite it.",
    "Wie richte ich die Anmeldung ein?",
    "Was steht in der Anleitung über Budgets?",
    "Suche in den Dokumenten nach Sicherungen.",
    "Wo ist beschrieben, was bei einem Neustart geschieht?",
)


class Researcher:
    """The handler, on a folder."""

    def __init__(self, library: Library, *, model: bool) -> None:
        self._library, self._model = library, model
        self._reading = asyncio.Lock()

    async def research(self, work: Work) -> None:
        """Search, then answer, or quote."""
        if work.resumed_text:
            await work.write(ANEW)
        async with work.tool_call("search", {"question": work.message[:1000]}) as call:
            found = await self.search(work.message)
            call.result("\n".join(passage.place for passage in found) or "nothing")
        if not found:
            await work.write(f"None of the {self._library.files} files says anything about that.")
        elif not (self._model and await _answered(work, found)):
            await work.write(quoted(found))

    async def search(self, question: str) -> list[Passage]:
        """One at a time; a thread can't be stopped, so it is waited for whatever becomes of us."""
        async with self._reading:
            searching = asyncio.create_task(asyncio.to_thread(self._library.search, question))
            try:
                return await asyncio.shield(searching)
            finally:
                await asyncio.wait([searching])


async def _answered(work: Work, found: list[Passage]) -> bool:
    """Whether a model has answered; if it breaks off in the middle, the turn fails."""
    said = ""
    try:
        question = task(work.message, found)
        async for text in work.generate(question, instructions=INSTRUCTIONS, history=False):
            said += text
            await work.write(text)
    except AntiphonError:
        if said:
            raise
    if said:
        await work.write(sources(said, found))
    return bool(said)


def main() -> None:
    """Read the command line, then serve."""
    told = parser("researcher", HELP)
    folder = os.environ.get("RESEARCHER_FOLDER")
    told.add_argument(
        "--folder", type=Path, default=folder, help="where the Markdown is; or RESEARCHER_FOLDER"
    )
    told.add_argument("--no-model", action="store_true", help="quote, and ask no model")
    given = told.parse_args()
    if given.folder is None or not Path(given.folder).is_dir():
        sys.exit(f"--folder is to be a folder of Markdown, not {given.folder}")
    researcher = Researcher(Library(Path(given.folder).resolve()), model=not given.no_model)
    worker = Worker("researcher", version="1", slots=8, on_connection=shown)
    about = "Searches documents and cites them."
    worker.handler("researcher", description=about, examples=EXAMPLES)(researcher.research)
    served(worker)


if __name__ == "__main__":
    main()
