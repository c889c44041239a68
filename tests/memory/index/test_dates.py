"""Dates that a query names, in four languages."""

from datetime import UTC, datetime

import numpy as np
import pytest

from antiphon_server.memory.index.dates import periods


def us(*date: int) -> int:
    """Noon of a day in microseconds since 1970."""
    return int(datetime(*date, 12, tzinfo=UTC).timestamp() * 1e6)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("asked", "within", "beyond"),
    [
        ("What did she buy in May 2023?", (2023, 5, 9), (2023, 6, 20)),
        ("Was kaufte sie im Mai 2023?", (2023, 5, 31), (2022, 5, 9)),
        ("Où était-il le 3 mai 2023 ?", (2023, 5, 3), (2023, 5, 2)),
        ("¿Dónde estaba el 3 de mayo de 2023?", (2023, 5, 3), (2023, 5, 20)),
        ("What broke in March?", (2021, 3, 1), (2021, 4, 1)),
        ("Who moved in 2022?", (2022, 12, 31), (2021, 12, 31)),
        ("What did he do last summer?", (2022, 7, 1), (2022, 4, 1)),
        ("Wer kam gestern?", (2024, 2, 9), (2024, 2, 1)),
        ("What happened last year?", (2023, 1, 1), (2024, 2, 1)),
        ("Qui est venu le mois dernier ?", (2024, 1, 9), (2023, 11, 1)),
    ],
)
def test_a_date_is_understood(asked: str, within: tuple[int, ...], beyond: tuple[int, ...]) -> None:
    """What lies in it is near, what lies elsewhere is not; asked on 10 February 2024."""
    (period,) = periods(asked, us(2024, 2, 10))
    assert period.nearness(np.array([us(*within), us(*beyond)])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("asked", ["She may march to the sea", "Wer ist hier?", "Where is it?"])
def test_words_that_only_look_like_dates_are_none(asked: str) -> None:
    """The verbs "may" and "march", and a German "here" that is a French "yesterday"."""
    assert periods(asked, us(2024, 2, 10)) == []
