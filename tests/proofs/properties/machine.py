"""What all machines share: an event loop of their own, a directory, and how often they run."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from sqlalchemy import MetaData

from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.databases import IN_MEMORY, make_sqlite

T = TypeVar("T")
STEP_S = 30.0
FINDINGS = (AssertionError, RecursionError)
"""How a defect shows: a promise is broken, or a call comes to no end."""
LONG = 40
"""How many times more examples the profile ``long`` runs."""


class Machine(RuleBasedStateMachine):
    """A state machine whose rules await things, on a loop that lives as long as it does."""

    steps = 0
    """How many things all machines of the class have awaited."""

    findings: ClassVar[list[Exception]] = []
    """What went wrong while a machine of the class awaited something."""

    runner: ClassVar[asyncio.Runner | None] = None
    """The loop of all machines of the class, where they share something that lives on it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="machine-", dir=IN_MEMORY))
        self._runner = self.runner or asyncio.Runner()
        self.run(self.open())

    async def open(self) -> None:
        """Begin what the machine works on."""

    async def close(self) -> None:
        """End what the machine worked on."""

    async def open_database(self, *tables: MetaData) -> Database:
        """The machine's database, with these tables and what it has kept so far."""
        file = self.home / "store.db"
        await make_sqlite(file, *tables)
        return SqliteDatabase(file)

    def lose_database(self) -> None:
        """Lose all that it kept; nobody has it open."""
        for file in self.home.glob("store.db*"):
            file.unlink()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work``, 30 s at most."""
        type(self).steps += 1
        try:
            return self._runner.run(_in_time(work))
        except FINDINGS as error:
            self.findings.append(error)
            raise

    def teardown(self) -> None:
        """End everything; no task may be left."""
        try:
            self.run(self.close())
            if self.runner is None:
                self.run(_nothing_left())
        finally:
            if self.runner is None:
                self._runner.close()
            shutil.rmtree(self.home)


async def _in_time(work: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(STEP_S):
        return await work


async def _nothing_left() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


def check(machine: type[Machine], examples: int, steps: int = 30) -> None:
    """Run the machine: ``examples`` sequences of up to ``steps`` calls, always the same ones.

    With ``--hypothesis-profile=long`` many more, and others each time.
    """
    long = settings.get_current_profile_name() == "long"
    factor = LONG if long else 1
    run_state_machine_as_test(machine, settings=chosen(examples * factor, steps, fixed=not long))


def chosen(examples: int, steps: int, *, fixed: bool) -> settings:
    """The settings of one run; ``fixed`` for the same sequences each time."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=fixed,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink] if not fixed else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def caught(machine: type[Machine], examples: int = 300, steps: int = 30) -> None:
    """Hold that the machine notices the defect that was planted in it.

    It need not come again when the same calls are made again: some take another time then.
    """
    machine.findings = []
    with pytest.raises((*FINDINGS, Flaky, BaseExceptionGroup)) as found:
        check(machine, examples, steps)
    assert machine.findings or _is_finding(found.value), found.value


def _is_finding(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_finding(inner) for inner in error.exceptions)
    return isinstance(error, FINDINGS)
