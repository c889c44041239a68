"""The scenarios that there are."""

from collections.abc import Mapping

from tests.proofs.robustness.faults import LIVES, OTHERS, WIRES
from tests.proofs.robustness.odd_server import DAY
from tests.proofs.robustness.scenario import Scenario

# A day is 2 s, and retention keeps one: history goes while people read it.
SHORT_DAYS = {DAY: "2", "ANTIPHON_RETENTION_DAYS": "1"}
# Facts, names and summaries are made of what is said: by rules, and by the model, which fails, too.
REMEMBERS = {"ANTIPHON_REMEMBER_BY_RULES": "true", "ANTIPHON_SUMMARY_MODEL": "fake/ok"}
# Longer than whoever gathers it pauses.
GATHERED_S = 12.0
POSTS = {"shouter": 2, "writer": 2, "returner": 4, "follower": 1, "subscriber": 1, "updater": 1}

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
    Scenario("memory and kill", ("model", "kill"), variables=REMEMBERS, calm_s=GATHERED_S),
    Scenario("trimming", tuple(WIRES), POSTS, variables=SHORT_DAYS),
    Scenario("everything", (*LIVES, *WIRES, *OTHERS)),
]
SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
