"""The figures of long runs in docs/proof.md: merged, tabled and drawn from what runs wrote."""

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import pygal
from pygal.style import Style

from tests.proofs.bench.charts import COMMON, FLOOR, OURS, STYLE, axis, plain
from tests.proofs.robustness.drained import RESUMED_S

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEAD = (
    "run",
    "faults",
    "acknowledged",
    "seen by readers",
    "turns ended",
    "turns stopped",
    "violations",
)
# Of these the most of all rounds counts.
MOST = ("peak_bytes", "grown_bytes", "exit_s")
WIDTH = 125
STARTING = "kill while starting"
Result = Mapping[str, Any]


def merged(files: Iterable[Path]) -> list[Result]:
    """The results of some runs; rounds of one name are added up."""
    rounds: dict[str, list[Result]] = defaultdict(list)
    for file in files:
        for result in json.loads(file.read_text()):
            rounds[result["name"]].append(result)
    return [_whole(of_name) for of_name in rounds.values()]


def _whole(rounds: Sequence[Result]) -> Result:
    """Raises ValueError if rounds differ in what can't be added up, as in how many read."""
    whole = {
        key: _added(key, [it[key] for it in rounds if key in it])
        for key in dict.fromkeys(key for it in rounds for key in it)
    }
    if "ratio" in whole:
        whole["ratio"] = statistics.median(_ratios(whole))
    return whole


def _added(key: str, values: Sequence[Any]) -> Any:
    if isinstance(values[0], list):
        return [it for value in values for it in value]
    if isinstance(values[0], dict):
        return {it: sum(v.get(it, 0) for v in values) for value in values for it in value}
    if key == "seconds":
        return sum(values)
    if key in MOST:
        return max(values)
    if key == "seed":
        return ", ".join(dict.fromkeys(values))
    if key != "ratio" and len(set(values)) > 1:
        raise ValueError(f"{key}: {values}")
    return values[0]


def _ratios(crowd: Result) -> list[float]:
    pairs = zip(crowd["beside_p99_ms"], crowd["without_p99_ms"], strict=True)
    return [beside / without for beside, without in pairs]


def write(results: Sequence[Result], page: Path) -> None:
    """Put the tables between the page's markers, and the charts into the folder of its name."""
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(results, indent=1) + "\n")
    for name, chart in _charts(results).items():
        (folder / f"{name}.svg").write_text(plain(chart.render(is_unicode=True)) + "\n")
    text, told = page.read_text(), _told(results, folder.name)
    between = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    page.write_text(between.sub(lambda _: f"{BEGIN}\n{told}\n{END}", text))


def _wrapped(line: str) -> str:
    """Prose as the documents have it; tables and drawings stand as they are."""
    return line if line.startswith(("|", "!")) else fill(line, WIDTH)


def _told(results: Sequence[Result], folder: str) -> str:
    played = [it for it in results if "counts" in it]
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *map(_row, played)]
    parts = ["\n".join(f"| {' | '.join(line)} |" for line in lines)]
    if any(it["name"] not in ("kills", "cuts", "drained") for it in played):
        parts.append(f"![What each scenario was judged by]({folder}/scenarios.svg)")
    for it in results:
        if starting := it.get("faults", {}).get(STARTING):
            parts.append(f"{it['name']}: {starting:,} more lives were killed while they started.")
        if it["name"] == "trimming":
            old, gone = it["counts"]["old cursor"], it["counts"]["trimmed cursor"]
            parts.append(
                f"{old + gone:,} times somebody came back with an old cursor: {old:,} got what "
                f"follows it, {gone:,} were told that it is gone and where the log begins."
            )
        if it["name"] == "drained":
            exits, back = max(it["exits_s"]), max(it["resumed_s"])
            parts.append(
                f"SIGTERM with {it['streams']} streams open, {len(it['exits_s'])} times: ended "
                f"after at most {exits:.1f} s; the last stream was back {back:.2f} s after "
                f"SERVING.\n\n"
                f"![How soon streams are back]({folder}/drained.svg)"
            )
        if it["name"].startswith("fair "):
            parts.append(_fair(it))
        if it["name"] == "crowd":
            rounds = ", ".join(f"{ratio:.2f}" for ratio in _ratios(it))
            parts.append(
                f"{it['count']} stalled readers beside {it['count']} good ones: the good ones' "
                f"99th percentile is {it['ratio']:.2f} times what it is without (median of "
                f"{rounds}); {it['grown_bytes'] / 2**20:+.0f} MB; SIGTERM with all of them open: "
                f"ended after {it['exit_s']:.1f} s.\n\n"
                f"![Delays without and with stalled readers]({folder}/crowd.svg)"
            )
    return "\n".join(map(_wrapped, "\n\n".join(parts).split("\n")))


def _fair(it: Result) -> str:
    """One user at the limit, beside another, whose times in the middle of the rounds these are."""
    had, where = it["had"], "one server" if it["servers"] == 1 else f"{it['servers']} servers"
    busy = [statistics.median(both[side] for both in it["busy"]) for side in (0, 1)]
    lines = [
        f"One user who asks for all the {it['kind']} they get, on {where}: {had['running']} turns "
        f"and {had['following']} streams; the servers took {busy[0]:.2f} processors without, "
        f"{busy[1]:.2f} with.",
        "",
        "| another's | without, ms | with, ms | times |",
        "| --- | ---: | ---: | ---: |",
    ]
    for figure in it["figures"]:
        without, beside = (
            statistics.median(figure[f"{side}_ms"]) for side in ("without", "beside")
        )
        lines.append(f"| {figure['of']} | {without:.0f} | {beside:.0f} | {figure['ratio']:.2f} |")
    return "\n".join(lines)


def _row(it: Result) -> tuple[str, ...]:
    counts = it["counts"]
    figures = (
        _faults(it),
        counts["posts acknowledged"] + counts["turns acknowledged"],
        counts["seen"],
        sum(it["turns"].values()),
        it["turns"].get("CANCELLED", 0),
        len(it["violations"]),
    )
    return (it["name"], *(f"{figure:,}" for figure in figures))


def _faults(it: Result) -> int:
    """How many there were; a life that is killed before anybody reached it is counted apart."""
    return sum(n for name, n in it["faults"].items() if name != STARTING)


def _charts(results: Sequence[Result]) -> dict[str, Any]:
    by_name = {it["name"]: it for it in results}
    charts = {"scenarios": _scenarios([it for it in results if "counts" in it])}
    if "drained" in by_name:
        charts["drained"] = _drained(by_name["drained"])
    if "crowd" in by_name:
        charts["crowd"] = _crowd(by_name["crowd"])
    return charts


def _scenarios(played: Sequence[Result]) -> Any:
    ends, marks = axis([1, max([it["counts"]["seen"] for it in played], default=10)])
    chart = pygal.HorizontalBar(
        title="Events seen by readers, all judged; faults; violations (log scale)",
        style=Style(**STYLE, colors=(FLOOR, OURS)),
        logarithmic=True,
        zero=1,
        y_labels=marks,
        range=ends,
        height=110 + 40 * len(played),
        width=1000,
        value_formatter=lambda value: f"{value:,.0f}",
        **COMMON,
    )
    chart.x_labels = [f"{it['name']}: {len(it['violations'])} violations" for it in played[::-1]]
    chart.add("faults", [_faults(it) or None for it in played[::-1]])
    chart.add("seen", [it["counts"]["seen"] or None for it in played[::-1]])
    return chart


def _drained(it: Result) -> Any:
    times = sorted(it["resumed_s"])
    chart = pygal.XY(
        title="Share of streams that are back, by seconds after SERVING (%)",
        style=Style(**STYLE, colors=(OURS, FLOOR)),
        show_dots=False,
        stroke_style={"width": 3},
        range=(0, 100),
        height=360,
        width=1000,
        **COMMON,
    )
    shares = [(at, 100 * (n + 1) / len(times)) for n, at in enumerate(times)]
    chart.add("streams", shares[:: max(len(shares) // 200, 1)] + shares[-1:])
    chart.add("the limit", [(RESUMED_S, 0), (RESUMED_S, 100)])
    return chart


def _crowd(it: Result) -> Any:
    chart = pygal.Bar(
        title=f"99th percentile of {it['count']} readers' delays, by round (ms)",
        style=Style(**STYLE, colors=(FLOOR, OURS)),
        height=360,
        width=1000,
        value_formatter=lambda value: f"{value:.0f}",
        **COMMON,
    )
    chart.x_labels = [str(number + 1) for number in range(len(it["without_p99_ms"]))]
    chart.add("without stalled readers", it["without_p99_ms"])
    chart.add(f"beside {it['count']} stalled readers", it["beside_p99_ms"])
    return chart
