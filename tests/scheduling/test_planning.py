"""Which due times run, which are left out, and what comes next."""

from antiphon_server.scheduling.model import MINUTE_US, Cron, Missed, Schedule
from antiphon_server.scheduling.planning import MOST_MADE_UP, Plan, first_due, plan, turn_id_of

EACH_MINUTE = Cron("* * * * *", "")
FIRST = 1_000_000 * MINUTE_US


def schedule(when: int | Cron, missed: Missed = Missed.SKIP, next_us: int = FIRST) -> Schedule:
    """One that is due."""
    return Schedule(
        "sched_00000001",
        "conv_00000001",
        "ws_00000001",
        "users/user_00000001",
        0,
        "life_1",
        b"",
        when,
        missed,
        next_us=next_us,
    )


def minute(number: int) -> int:
    """That many minutes behind the first due time."""
    return FIRST + number * MINUTE_US


def test_what_is_due_now_runs_whatever_is_said_of_what_is_missed() -> None:
    for missed in Missed:
        for late in (0, 1, MINUTE_US - 1):
            found = plan(schedule(EACH_MINUTE, missed), FIRST + late)
            assert found == Plan([FIRST], 0, None, minute(1))


def test_skip_leaves_out_what_is_more_than_a_minute_past() -> None:
    hourly = Cron("40 * * * *", "")  # FIRST is at 10:40
    found = plan(schedule(hourly), minute(150))
    assert found == Plan((), 3, minute(120), minute(180))
    assert plan(schedule(hourly), minute(121)) == Plan([minute(120)], 2, minute(60), minute(180))


def test_one_runs_the_newest() -> None:
    found = plan(schedule(EACH_MINUTE, Missed.ONE), minute(5))
    assert found == Plan([minute(5)], 5, minute(4), minute(6))


def test_all_runs_them_in_order_but_not_more_than_the_newest_hundred() -> None:
    found = plan(schedule(EACH_MINUTE, Missed.ALL), minute(5))
    assert found == Plan([minute(it) for it in range(6)], 0, None, minute(6))
    many = plan(schedule(EACH_MINUTE, Missed.ALL), minute(5000))
    assert many.run == [minute(it) for it in range(4901, 5001)]
    assert len(many.run) == MOST_MADE_UP
    assert (many.skipped, many.skipped_us) == (4901, minute(4900))


def test_of_years_no_more_is_counted_than_ten_thousand() -> None:
    found = plan(schedule(EACH_MINUTE, Missed.ONE), minute(1_000_000))
    assert found == Plan([minute(1_000_000)], 10_000, minute(999_999), minute(1_000_001))


def test_the_one_time_runs_once() -> None:
    assert plan(schedule(FIRST), minute(1)) == Plan([FIRST], 0, None, None)
    assert plan(schedule(FIRST), minute(2)) == Plan((), 1, FIRST, None)
    for missed in (Missed.ONE, Missed.ALL):
        assert plan(schedule(FIRST, missed), minute(9999)) == Plan([FIRST], 0, None, None)


def test_a_first_due_time_that_the_rule_knows_no_more_counts() -> None:
    """The zone's rules may have changed since."""
    found = plan(schedule(Cron("0 0 1 1 *", ""), Missed.ONE), minute(5))
    assert found.run == [FIRST]


def test_nothing_is_due_first_that_is_past() -> None:
    assert first_due(EACH_MINUTE, FIRST) == minute(1)
    assert first_due(FIRST, minute(2)) is None
    assert first_due(FIRST, FIRST + 1) == FIRST


def test_a_turns_id_is_of_its_schedules_life_and_its_time_alone() -> None:
    one = schedule(EACH_MINUTE)
    assert turn_id_of(one, FIRST) == turn_id_of(schedule(FIRST, Missed.ALL), FIRST)
    assert turn_id_of(one, FIRST) != turn_id_of(one, minute(1))
    assert len(turn_id_of(one, FIRST)) <= 69
