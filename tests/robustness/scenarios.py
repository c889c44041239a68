"""The scenarios that there are."""

from collections.abc import Mapping

from tests.robustness.faults import LIVES, OTHERS, WIRES
from tests.robustness.scenario import Scenario

_ALL = [
    Scenario("calm", ()),
    Scenario("kill", ("kill",)),
    Scenario("drain", ("drain",)),
    Scenario("freeze", ("freeze",)),
    Scenario("wires", tuple(WIRES)),
    Scenario("model", ("model",)),
    Scenario("clock", ("clock",)),
    Scenario("kill and wires", ("kill", *WIRES)),
    Scenario("model and kill", ("model", "kill")),
    Scenario("everything", (*LIVES, *WIRES, *OTHERS)),
]
SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
