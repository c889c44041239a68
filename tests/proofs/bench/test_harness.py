import asyncio
import re
from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import SubscribeResponse
from antiphon.events.v1.stream_pb2 import EventBatch
from tests.proofs.bench.__main__ import made_parser, measure, merged
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.charts import draw
from tests.proofs.bench.docs import FILES, FOLDER, PAGE, written_into
from tests.proofs.bench.figures import Figure, at_least, at_most, paired, percentile, point
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.fan_out import WARM_S, Gap, Job, check_batch, result
from tests.proofs.bench.loads.http2 import connect
from tests.proofs.bench.loads.spawn import LoadFailed
from tests.proofs.bench.meshes import edge_before_floor
from tests.proofs.bench.row import Row
from tests.proofs.bench.rows import ROWS
from tests.proofs.bench.rows.hop import compared
from tests.proofs.bench.table import read_json, write_json

OF_A_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What pygal names a drawing by."""


def test_percentiles_are_measured_values() -> None:
    """A percentile is one of the values, by the nearest rank; of none there is none."""
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    hundred = [float(value) for value in range(1, 101)]
    assert [percentile(hundred, it) for it in (1, 50, 99, 99.5, 100)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 99) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


@pytest.mark.proof
def test_a_row_measures_real_processes() -> None:
    """The cheapest row, measured quickly, gives sensible figures beside their floors."""
    row = next(row for row in ROWS if row.name == "cold-start")
    outcome = asyncio.run(measure([row], quick=True))
    assert outcome.failed == []
    *figures, others = outcome.figures
    assert len(figures) == 6
    assert all(one.ratio is not None and 1 < one.ratio < 100 for one in figures)
    assert others.unit == "cores"


def test_a_row_that_fails_costs_no_other_its_figures() -> None:
    """A failed row is named; the rows after it are measured."""

    async def broken(bench: Bench) -> list[Figure]:
        raise OSError("no such floor")

    async def working(bench: Bench) -> list[Figure]:
        return [Figure("a", 1.0, "s")]

    kept: list[int] = []
    outcome = asyncio.run(
        measure(
            [Row("broken", "", broken), Row("working", "", working)],
            quick=True,
            keep=lambda figures: kept.append(len(figures)),
        )
    )
    assert outcome.failed == ["broken"]
    names = ["others' cores during broken", "a", "others' cores during working"]
    assert [figure.name for figure in outcome.figures] == names
    assert kept == [1, 3]


def test_ratios_are_of_pairs() -> None:
    """A machine that is slow for one pair of rounds moves values, but not the ratio."""
    figure = paired("turns", "turns/s", [100, 10, 100], [200, 20, 210], at_least(0.5))
    assert (figure.value, figure.floor, figure.ratio) == (100, 200, 0.5)
    assert figure.met


FIGURES = [
    paired("turns", "turns/s", [100, 120], [400, 410], at_least(0.5)),
    paired("delay", "ms", [4, 5], [1, 1.5], at_most(2)),
    paired("memory", "KB", [30], (), at_most(1_000, of_floor=False)),
    *(point("clients: a turn, p50", "ms", n, [n * 2.0], [n * 1.0]) for n in (1, 10, 100)),
    *(point("history: post", "ms", n, [3.0]) for n in (100, 1_000_000)),
]


def test_figures_survive_being_written(tmp_path: Path) -> None:
    """What was read back is what was written, targets, rounds and curves included."""
    write_json(FIGURES, tmp_path / "bench.json")
    assert read_json(tmp_path / "bench.json") == FIGURES


def test_rows_measured_again_replace_their_figures() -> None:
    """The others stay as they were, in their places; new ones come last."""
    again = [paired("delay", "ms", [3]), paired("new", "ms", [1])]
    names = [figure.name for figure in merged(FIGURES, again)]
    assert names == [*(figure.name for figure in FIGURES), "new"]
    assert merged(FIGURES, again)[1].value == 3


def test_the_help_explains_rows_and_floors() -> None:
    """What a floor is, how long it takes, and what each row measures."""
    said = made_parser().format_help()
    assert "floor: a bare grpc.aio server" in said
    assert "40 minutes" in said
    assert all(row.about in said for row in ROWS)


def test_the_page_shows_the_files_figures() -> None:
    """docs/benchmarks.md has the tables that its JSON files give (``uv run poe bench-docs``)."""
    page = PAGE.read_text()
    assert written_into(page) == page
    assert "| turns, 50 clients, 20 deltas" in page


@pytest.mark.parametrize("name", FILES)
def test_the_charts_show_the_files_figures(name: str, tmp_path: Path) -> None:
    """Each that stands beside the page is what its JSON file gives, and asks nobody."""
    for drawn in draw(read_json(FOLDER / name), tmp_path):
        text = drawn.read_text()
        assert OF_A_RUN.sub("", text) == OF_A_RUN.sub("", (FOLDER / drawn.name).read_text())
        assert not re.search(r"(href|src)=|<script|@import", text)


def test_subscribers_find_what_is_missing_or_doubled() -> None:
    """The load fan_out refuses a batch that leaves out an event or repeats one."""

    def batch(*places: tuple[int, int]) -> bytes:
        events = [Event(first_offset=first, last_offset=last) for first, last in places]
        return SubscribeResponse(batch=EventBatch(events=events)).SerializeToString()

    check_batch(batch((5, 5), (6, 9), (10, 10)), 4)
    check_batch(batch((5, 5)), 0)
    for wrong in (batch((6, 6)), batch((4, 4), (5, 5)), batch((5, 5), (7, 7))):
        with pytest.raises(Gap):
            check_batch(wrong, 4)


def test_what_never_came_is_late() -> None:
    """An event that a subscriber has not got counts as long on its way as it was waited for."""
    job = Job({}, "global", 2, 100, 1.0, {})
    published = {"begin": 0.0, "appends": [(first, 1, WARM_S) for first in range(1, 11)]}
    soon = WARM_S + 0.01
    whole = result(job, [(0, 1, soon), (1, 10, soon), (0, 1, soon), (1, 10, soon)], published, 9)
    assert whole["p99_s"] == pytest.approx(0.01, abs=0.001)
    short = result(job, [(0, 1, soon), (1, 10, soon), (0, 1, soon), (1, 8, soon)], published, 9)
    assert short["p99_s"] == pytest.approx(9 - WARM_S)


async def test_what_a_reader_raises_ends_its_call(tmp_path: Path) -> None:
    """A defect in an answer is told to whoever awaits the call, not only logged."""

    def refuse(_: bytes) -> None:
        raise Gap("missing")

    async with Bench(quick=True, folder=tmp_path).canned(3) as canned:
        connection = await connect(Target(canned.line, canned.pid), "/any/Method")
        with pytest.raises(Gap, match="missing"):
            await asyncio.wait_for(connection.stream(refuse, b"").done, 5)
        connection.close()


async def test_the_lean_client_gets_each_delta_of_the_relay(tmp_path: Path) -> None:
    """Every turn has all of its text, by deltas (a slow relay joins some); less is an error."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.model(7, 0) as model, bench.floor(f"relay={model.line}") as floor:
        job = {"target": floor.target, "clients": 2, "seconds": 0.3}
        result = await bench.load("turns", **job, deltas=7)
        assert result["turns_per_s"] > 0
        assert result["frames_per_turn"] > 2
        with pytest.raises(LoadFailed, match="35 bytes of 8 deltas"):
            await bench.load("turns", **job, deltas=8)


@pytest.mark.proof
async def test_the_lean_client_gets_whole_turns_of_the_server(tmp_path: Path) -> None:
    """Over Converse too each turn has all of its text, and the server's time is counted."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.model(7, 1) as model, bench.antiphon(model_url=model.line) as ours:
        job = {"target": ours.target, "clients": 2, "seconds": 1.5}
        steps = await bench.load("steps", **job, kinds=["turn"], deltas=7)  # its first turn is slow
        assert steps["turn"]["took_s"]
        with pytest.raises(LoadFailed, match="35 bytes of 8 deltas"):
            await bench.load("turns", **job, deltas=8)
        result = await bench.load("turns", **job, deltas=7)
        assert result["turns_per_s"] > 0
        assert result["cpu_ms_per_turn"] > 0
        stranger = {"target": ours.server.target, "clients": 1, "seconds": 0.1}  # without a token
        with pytest.raises(LoadFailed, match="grpc-status"):
            await bench.load("steps", **stranger, kinds=["post"])


@pytest.mark.proof
async def test_steps_are_taken_through_an_envoy(tmp_path: Path) -> None:
    """By gRPC and grpc-web a call and a delivery come through, and each part's time is told."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.floor("delivery") as floor, edge_before_floor(bench, floor) as edge:
        job = {"clients": 2, "seconds": 0.5, "kinds": ["post", "delivery"]}
        for web in (False, True):
            result = await bench.load("steps", target=edge | {"web": web}, **job)
            for kind in ("post", "delivery"):
                assert set(result[kind]["ms"]) == {"servers", "Envoy"}
                assert compared(kind, kind, [result], [result])[0].ratio == 1
        with pytest.raises(LoadFailed, match="grpc-status"):
            await bench.load("steps", target=edge, **job | {"kinds": ["list"]})


async def test_who_comes_for_a_turn_is_asked_how_long_it_took(tmp_path: Path) -> None:
    """The load first_contact counts whole turns, and waits from the client's coming on."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.model(7, 1) as model, bench.floor(f"relay={model.line}") as floor:
        job = {"target": floor.target, "clients": 2, "seconds": 0.3}
        result = await bench.load("first_contact", **job, deltas=7)
        assert result["turns_per_s"] > 0
        assert result["all_turns"] >= len(result["first_s"]) > 0
        with pytest.raises(LoadFailed, match="35 bytes of 8 deltas"):
            await bench.load("first_contact", **job, deltas=8)


@pytest.mark.proof
async def test_a_turn_of_first_contact_is_whole_on_the_server(tmp_path: Path) -> None:
    """Each begins a conversation and a stream of its own there."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.model(7, 0) as model, bench.antiphon(model_url=model.line) as ours:
        job = {"target": ours.target, "clients": 2, "seconds": 1.0}
        result = await bench.load("first_contact", **job, deltas=7)
        assert result["all_turns"] > 0
        with pytest.raises(LoadFailed, match="35 bytes of 8 deltas"):
            await bench.load("first_contact", **job, deltas=8)


async def test_a_refusal_fails_the_load(tmp_path: Path) -> None:
    """A load on a server that lacks the method gives no figures."""
    bench = Bench(quick=True, folder=tmp_path)
    async with bench.floor("unary") as floor:
        with pytest.raises(LoadFailed, match="grpc-status"):
            await bench.load("turns", target=floor.target, clients=1, seconds=0.1, deltas=1)
