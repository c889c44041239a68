"""Each alert is raised by what it is for, by nothing else, and of series that servers have."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from prometheus_client.samples import Sample

from antiphon_server.dispatcher.model import State
from tests.deploy.alerts.cases import CASES, EVERY_S, Case, Series
from tests.deploy.alerts.exposed import INSTANCE, Exposed, exposed, written
from tests.deploy.alerts.promtool import wrong
from tests.deploy.dashboard.board import ALERTS, alerts

EACH = [(alert, case) for alert, cases in CASES.items() for case in cases]
OF_ALL = (
    *("AntiphonErrors", "AntiphonSlowPosts", "AntiphonTurnsFail"),
    *("AntiphonBackupOld", "AntiphonFlagged"),
)
"""They sum over servers, so none is named."""
MINUTE = 60 // EVERY_S


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def figures(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exposed]:
    """What a server said."""
    async with exposed(tmp_path_factory.mktemp("exposed")) as found:
        yield found


def raised_of(alert: str, labels: dict[str, str]) -> dict[str, str]:
    """What is expected of an alert that is raised."""
    where = {} if alert in OF_ALL else {"instance": INSTANCE}
    return {"alertname": alert, **where, **labels}


def series_of(figures: Exposed, series: Series) -> str:
    """``up`` is what Prometheus says itself; all else is the server's."""
    if series.name == "up":
        return written("up", {})
    return figures.series(series.name, series.where, series.become)


def test_every_alert_has_cases() -> None:
    """Of each at least one that raises it and one that does not."""
    assert alerts().keys() == CASES.keys()
    for cases in CASES.values():
        assert {case.raised is None for case in cases} == {True, False}


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(("alert", "case"), EACH, ids=[f"{a}: {c.name}" for a, c in EACH])
def test_an_alert(figures: Exposed, tmp_path: Path, alert: str, case: Case) -> None:
    """It alone is raised, or none is, by series that a server exposes."""
    values = {series_of(figures, each): each.values for each in case.series}
    raised = [] if case.raised is None else [raised_of(alert, case.raised)]
    assert wrong(tmp_path, values, case.minutes, raised) == ""


@pytest.mark.needs("promtool")
def test_what_a_server_said_before_and_after_mishaps(figures: Exposed, tmp_path: Path) -> None:
    """Redis went and somebody guessed, for the first time since the start: that, and no more."""
    before, after = (_by_series(samples) for samples in (figures.well, figures.ill))
    values = {
        name: f"{_values(before.get(name), 2)} {_values(value, 6)}" for name, value in after.items()
    }
    raised = [
        raised_of("AntiphonPartAway", {"part": "redis"}),
        raised_of("AntiphonRedisAway", {}),
        raised_of("AntiphonSecurityAlarm", {"kind": "failures_on_name"}),
    ]
    assert wrong(tmp_path, values, 7.9, raised) == ""


def test_what_a_summary_shows_is_no_ratio() -> None:
    """A value is what the left side of a comparison has: of a quotient it would read as bytes."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    shown = [rule for rule in rules if "$value" in rule["annotations"]["summary"]]
    assert shown
    assert [rule["alert"] for rule in shown if " / " in rule["expr"]] == []


def test_states_and_the_job_are_what_alerts_ask_for() -> None:
    """A turn's state has that name; the scraper's job, too."""
    states = {state.name.lower() for state in State}
    assert {"failed", "expired"} <= states
    assert 'state=~"failed|expired"' in alerts()["AntiphonTurnsFail"]
    scraped = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())["scrape_configs"]
    assert [each["job_name"] for each in scraped] == ["antiphon"]


def _by_series(samples: tuple[Sample, ...]) -> dict[str, float]:
    return {
        written(sample.name, sample.labels): sample.value
        for sample in samples
        if sample.name.startswith("antiphon_")
    }


def _values(value: float | None, minutes: int) -> str:
    return f"{'_' if value is None else f'{value:.9f}'}x{minutes * MINUTE - 1}"
