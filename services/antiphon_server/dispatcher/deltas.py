"""A turn's text on its way into the log."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from antiphon_server.dispatcher.masking import Mask, Masking
from antiphon_server.dispatcher.model import (
    CallStep,
    Step,
    TextAppended,
    Turn,
    TurnAssigned,
    TurnProgressed,
    output_of,
)
from antiphon_server.dispatcher.ports import Journal
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_costs import COMMIT_S, FRAME_S, PIECE_S
from antiphon_server.runtime.limits.shares import FREE, Share

MAX_UNCOMMITTED = 64 * 1024
MAX_PIECES = 8
MAX_PROGRESS = 64
MAX_TEXT_BYTES = 600 * 1024
"""An answer goes into one append of 1 MiB, a last piece of 64 Ki characters beside it."""

LOOKED_AT = 2048
"""So many characters a mask is fed at a time: it may take milliseconds for them."""

COMMIT_EVERY_S = 0.025
"""A pace at which text flows for the eye; a commit and its frames cost what 20 tokens do."""

OUTPUTS_EVERY_S = 0.015
"""A worker keeps that pace itself: its outputs wait for nothing unless they come faster."""


class TextWriter:
    """Appends text with one commit in flight; what comes meanwhile goes into the next.

    The first text after a pause is committed at once, what follows every 25 ms, so that
    rows and frames follow time, not tokens. News for people wait that long for text to go
    with. ``committed`` is what clients can have seen, ``output`` the newest number of a worker's
    outputs in it, of which ``on_output`` is told. Commits wait for the ``share`` of the
    turn's user; meanwhile at most 8 pieces are taken, and then the model waits, too. ``calls`` are
    the turn's calls of tools, as far as they are committed.

    What its ``masking`` holds back nobody sees: it is dropped unless :meth:`whole` is called. A
    worker's output counts as stored all the same, so a masked answer is never gone on with. What is
    written is looked at as it is to be committed: a look costs much the same for one word or ten.
    """

    def __init__(
        self,
        journal: Journal,
        turn: Turn,
        committed: str = "",
        calls: ToolCalls | None = None,
        share: Share = FREE,
        output: int = 0,
        masking: Masking | None = None,
    ) -> None:
        self._masking = masking
        self._mask = masking.begin(committed) if masking is not None else None
        self._looking = asyncio.Lock()
        self._unseen: list[str] = []
        self._unseen_chars = self._unseen_output = 0
        self._refused: DomainError | None = None
        self.output = output
        self.hides = False
        """Whether a worker's output counts as stored of which nothing is shown."""
        self.on_output: Callable[[int], None] | None = None
        self._pending_output = 0
        self._piece_s = PIECE_S
        self.calls = calls or ToolCalls()
        self._share = share
        self._records: list[CallStep] = []
        self._taken = self._recorded = 0
        self._recording = asyncio.Lock()
        self.committed = committed
        self._journal = journal
        self._turn = turn
        self._position = self._accepted = len(committed.encode())
        self._pending: list[str] = []
        self._pending_chars = 0
        self._progress: list[TurnProgressed] = []
        self._flushing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._next_commit = 0.0
        self._stopping = False

    @property
    def accepted(self) -> int:
        """Bytes of UTF-8 of the answer so far."""
        return self._accepted

    async def write(self, text: str, output: int = 0) -> None:
        """Accept ``text``; waits while 64 Ki characters are not committed.

        Raises the DomainError of an earlier commit that failed, and LIMIT_EXCEEDED for an
        answer that would not fit into a message.
        """
        if self._refused is not None:
            raise self._refused
        if self._mask is None:
            self._accept(text, output)
        else:
            await self._accept_unseen(text, output)
        if self._has_text:
            await self._flush_soon()

    async def whole(self) -> None:
        """Show what the mask holds back: nothing that comes later is to be read with it.

        Raises DomainError as :meth:`write` does.
        """
        if self._mask is None:
            return
        if self._refused is not None:
            raise self._refused
        await self._look(whole=True)
        if self._pending:
            await self._flush_soon()

    async def masked(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts beside the answer as people may see them."""
        return await self._masking.whole(texts) if self._masking is not None else texts

    async def _accept_unseen(self, text: str, output: int) -> None:
        self._unseen.append(text)
        self._unseen_chars += len(text)
        self._unseen_output = output or self._unseen_output
        if len(self._unseen) == 1:
            self._hurry.set()
        if self._unseen_chars > LOOKED_AT:
            await self._look()

    async def _look(self, *, whole: bool = False) -> None:
        """Accept what may be shown of what is not looked at. Raises DomainError LIMIT_EXCEEDED."""
        if self._mask is None or not (self._unseen or whole):
            return
        async with self._looking:
            text, output = "".join(self._unseen), self._unseen_output
            self._unseen.clear()
            self._unseen_chars = self._unseen_output = 0
            shown = await _shown(self._mask, text, whole)
            if shown:
                self._accept(shown, output)
            elif self._pending:
                self._pending_output = output or self._pending_output
            else:
                self.hides = self.hides or output > 0
                self._heard(output)

    def _accept(self, text: str, output: int) -> None:
        if not text:
            return
        self._accepted += len(text.encode())
        if self._accepted > MAX_TEXT_BYTES:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MAX_TEXT_BYTES} bytes an answer")
        self._pending.append(text)
        self._pending_output = output or self._pending_output
        self._piece_s = PIECE_S + FRAME_S if output else PIECE_S
        self._pending_chars += len(text)
        if len(self._pending) == 1 or self._is_full():
            self._hurry.set()

    async def progress(self, step: TurnProgressed) -> None:
        """Accept news for people; it goes out before the text that comes after it."""
        (status,) = await self.masked([step.status])
        if self._has_text or len(self._progress) >= MAX_PROGRESS:
            await self._settle()
        self._progress.append(replace(step, status=status))
        await self._flush_soon()

    async def record(self, *steps: CallStep) -> None:
        """Commit ``steps`` behind the text that came before, with what others record meanwhile.

        No text may be written meanwhile. Raises the DomainError of a commit that failed.
        """
        await self._share.take(COMMIT_S)
        self._records.extend(steps)
        self._taken += len(steps)
        ours = self._taken
        self._hurry.set()
        async with self._recording:
            await self._settle()
            if self._recorded < ours and self._records:
                self._flushing = asyncio.create_task(self._commit(), name="turn-calls")
                await self._settle()

    async def assign(self, worker: TurnAssigned) -> None:
        """Commit who has the turn, before anything of this attempt. Raises DomainError."""
        await self._journal.write(self._turn, [worker])

    async def stop(self, *, keep_pending: bool) -> str:
        """Wait for the commit in flight; returns the text that is left for the last one.

        Without ``keep_pending`` what was not on its way is dropped: nobody saw it. Raises
        the DomainError of a commit that failed: what was committed then only the log knows.
        """
        self._stopping = True
        self._progress.clear()
        if not keep_pending:
            self._drop()
        self._hurry.set()
        self._share.leave()
        await self._settle()
        if keep_pending:
            with suppress(DomainError):  # what does not fit is left out of a turn that fails by it
                await self._look()
        if self._is_full():  # the last commit has to hold the whole answer beside it
            await self._commit()
        rest = "".join(self._pending)
        self._drop()
        return rest

    def piece(self, text: str) -> TextAppended:
        """The step that appends ``text`` behind what is committed."""
        return TextAppended(text, self._position, self._pending_output)

    async def _flush_soon(self) -> None:
        flushing = self._flushing
        if flushing is not None and not flushing.done() and not self._is_behind():
            return
        await self._settle()
        self._flushing = asyncio.create_task(self._flush(), name="turn-text")

    async def _settle(self) -> None:
        """Wait for the commit in flight, even if the turn is being cancelled.

        After one that failed this raises for ever: nothing may be written behind a hole.
        """
        task = self._flushing
        if task is None:
            return
        cancelled = False
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                if task.cancelled():
                    raise
                cancelled = True
                self._drop()
                self._share.leave()
            except Exception:
                break  # raised again below
        if cancelled:
            raise asyncio.CancelledError
        task.result()
        self._flushing = None

    def _drop(self) -> None:
        self._unseen.clear()
        self._unseen_chars = 0
        self._drop_accepted()

    def _drop_accepted(self) -> None:
        self._pending.clear()
        self._pending_chars = 0
        self._records.clear()

    @property
    def _has_text(self) -> bool:
        return bool(self._pending or self._unseen)

    def _is_full(self) -> bool:
        return self._pending_chars > MAX_UNCOMMITTED

    def _is_behind(self) -> bool:
        """Whether no more is taken until there is a commit."""
        return self._is_full() or (
            self._share.waits and len(self._pending) + len(self._unseen) >= MAX_PIECES
        )

    async def _flush(self) -> None:
        while self._has_text or self._progress:
            await self._pause()
            if not self._stopping:
                pieces = len(self._pending) + len(self._unseen)
                await self._share.take(COMMIT_S + self._piece_s * pieces)
            if self._stopping:
                return
            try:
                await self._look()
            except DomainError as error:
                self._refused = error
                return
            if self._pending or self._progress:  # not if a cancelled writer dropped it
                await self._commit()

    async def _pause(self) -> None:
        """Wait until it is time for the next commit; without text, for text to go with."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + COMMIT_EVERY_S
        while not (self._stopping or self._is_full() or self._records):
            self._hurry.clear()
            left = (self._next_commit if self._has_text else patience) - loop.time()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await self._hurry.wait()
            except TimeoutError:
                return

    async def _commit(self) -> None:
        steps: list[Step] = [*self._progress]
        text = "".join(self._pending)
        if text:
            steps.append(self.piece(text))
        records = list(self._records)
        steps.extend(records)
        self._progress.clear()
        self._drop_accepted()
        every_s = OUTPUTS_EVERY_S if self._pending_output else COMMIT_EVERY_S
        self._next_commit = asyncio.get_running_loop().time() + every_s
        await self._journal.write(self._turn, steps)
        self.committed += text
        self._note_output(steps)
        self._recorded += len(records)
        for step in records:
            self.calls.note(step, len(self.committed))
        self._position += len(text.encode())

    def _note_output(self, steps: Iterable[Step]) -> None:
        self._heard(max((output_of(it) for it in steps), default=0))

    def _heard(self, output: int) -> None:
        """The worker's outputs up to this one need not be said again."""
        if output > self.output:
            self.output = output
            if self.on_output is not None:
                self.on_output(output)


async def _shown(mask: Mask, text: str, whole: bool) -> str:
    """What may be shown of a text; others run while a large one is looked at."""
    last = max(0, len(text) - 1) // LOOKED_AT * LOOKED_AT
    shown = ""
    for at in range(0, last, LOOKED_AT):
        shown += mask.feed(text[at : at + LOOKED_AT])
        await asyncio.sleep(0)
    return shown + (mask.end(text[last:]) if whole else mask.feed(text[last:]))
