"""Every defect tried, and a control without any: who caught what, as a table and as JSON."""

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tests.proofs.bench.processes import DidNotStart
from tests.proofs.robustness.disk.syncs import order_of_syncs
from tests.proofs.robustness.mutation.__main__ import VARIABLE
from tests.proofs.robustness.mutation.defect import SYNCS, Defect
from tests.proofs.robustness.mutation.defects import BY_NAME, DEFECTS
from tests.proofs.robustness.mutation.play import PROGRAM, play
from tests.proofs.robustness.mutation.suite import run_tests
from tests.proofs.robustness.scenario import play as scenario_play
from tests.proofs.robustness.scenarios import SCENARIOS

POSTS, TURNS = 60, 8
SEED, SCENARIO_S = "1", 6.0
AT_ONCE = 3
CONTROLS = (
    Defect("control", "none", "", lambda it: it),
    Defect("control of syncs", "none", "", lambda it: it, rules=(SYNCS,)),
)
SUITE = tuple(test for defect in DEFECTS for test in defect.tests if "::" in test or "/" in test)
CONTROLS_OF_SCENARIOS = tuple(
    Defect(f"control of {it}", "none", "", lambda it: it, scenario=it)
    for it in sorted({defect.scenario for defect in DEFECTS if defect.scenario})
)
CONTROL_OF_TESTS = Defect("control of tests", "none", "", lambda it: it, tests=SUITE)


_CONVERSATION = re.compile(r"^conversation \d+: ")


@dataclass(slots=True)
class Trial:
    """What became of a defect. ``rules`` are those that caught it, ``first`` an example."""

    name: str
    mechanism: str
    judge: str
    rules: list[str] = field(default_factory=list)
    first: str = ""
    seconds: float = 0.0
    right: bool = False

    @property
    def line(self) -> str:
        """All of it in a line."""
        mark = "ok   " if self.right else "WRONG"
        caught = ", ".join(self.rules) or "nobody"
        return f"{mark} {self.mechanism:12} {self.name:30} {caught} ({self.seconds:.0f} s)"


async def trials(home: Path, defects: Iterable[Defect]) -> list[Trial]:
    """Try them, some at a time; a defect is right if its rules caught it, a control if clean."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(defect: Defect) -> Trial:
        async with room:
            try:
                return await _try(home / defect.name.replace(" ", "-"), defect)
            except (DidNotStart, TimeoutError, RuntimeError) as error:
                first = f"could not be tried: {type(error).__name__}: {error}"
                return Trial(defect.name, defect.mechanism, defect.judge, first=first)

    return list(await asyncio.gather(*(one(defect) for defect in defects)))


async def _try(home: Path, defect: Defect) -> Trial:
    began = time.monotonic()
    name = "" if defect.mechanism == "none" else defect.name
    if defect.judge == "order of syncs":
        syncs = await order_of_syncs(
            home, POSTS, TURNS, program=PROGRAM, variables={VARIABLE: name}
        )
        wrong = [f"order of syncs: {it}" for it in syncs.wrong]
    elif defect.judge == "scenario":
        wrong = await _play_scenario(home, defect, name)
    elif defect.judge == "suite":
        wrong = await run_tests(defect.tests, name)
    else:
        lose_history = defect.mechanism in ("none", "cursors")
        wrong = await play(home, name, lose_history=lose_history)
    rules = list(dict.fromkeys(it.partition(":")[0] for it in wrong))
    return Trial(
        defect.name,
        defect.mechanism,
        defect.judge,
        rules,
        wrong[0] if wrong else "",
        time.monotonic() - began,
        set(rules) >= set(defect.rules) if name else not wrong,
    )


async def _play_scenario(home: Path, defect: Defect, name: str) -> list[str]:
    scenario = SCENARIOS[defect.scenario]
    planted = replace(scenario, variables={**scenario.variables, VARIABLE: name})
    outcome = await scenario_play(planted, home, SEED, SCENARIO_S)
    return [_CONVERSATION.sub("", what) for what in outcome.wrong]


def short() -> Sequence[Defect]:
    """Those of the short form, and the controls."""
    return (*CONTROLS, *(defect for defect in DEFECTS if defect.short))


def main() -> int:
    """The long form; see :mod:`tests.proofs.robustness.mutation`."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.robustness.mutation")
    parser.add_argument("name", nargs="*", help="a defect; all if none is named")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    chosen = [BY_NAME[name] for name in arguments.name] or list(DEFECTS)
    with tempfile.TemporaryDirectory() as directory:
        came = asyncio.run(
            trials(Path(directory), [*CONTROLS, *CONTROLS_OF_SCENARIOS, CONTROL_OF_TESTS, *chosen])
        )
    print(*(trial.line for trial in came), sep="\n")
    wrong = [trial for trial in came if not trial.right]
    print(f"mutation: {len(came) - len(wrong)} of {len(came)} as they should be")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(it) for it in came], indent=2) + "\n")
    return 1 if wrong else 0
