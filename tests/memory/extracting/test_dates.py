"""What people say of when becomes dates; all of it was said on Wednesday, 15 May 2024."""

from datetime import UTC, datetime

import pytest

from tests.memory.extracting.said import one

WHEN = [
    ("en", "I bought a boat yesterday.", "2024-05-14"),
    ("en", "I bought a boat on Saturday.", "2024-05-11"),
    ("en", "I bought a boat three weeks ago.", "2024-04-24"),
    ("en", "I bought a boat last spring.", "2024-03-01"),
    ("en", "I bought a boat in 2019.", "2019-01-01"),
    ("en", "I start as head of permits on the 2nd of May.", "2025-05-02"),
    ("en", "We move on the 30th.", "2024-05-30"),
    ("en", "I've lived in Lyon since 2019.", "2019-01-01"),
    ("de", "Ich habe gestern ein Tablet gekauft.", "2024-05-14"),
    ("de", "Ich habe vor drei Wochen ein Boot gekauft.", "2024-04-24"),
    ("de", "Ich beginne am 1. Oktober mit der Arbeit.", "2024-10-01"),
    ("de", "Ich wohne seit 2019 in Kassel.", "2019-01-01"),
    ("fr", "J'ai acheté un bateau hier.", "2024-05-14"),
    ("fr", "J'ai acheté un bateau il y a trois semaines.", "2024-04-24"),
    ("fr", "On joue à Lyon le 21 juin.", "2024-06-21"),
    ("fr", "J'habite à Lyon depuis 2019.", "2019-01-01"),
    ("es", "Ayer me compré un barco.", "2024-05-14"),
    ("es", "Me compré un barco hace tres semanas.", "2024-04-24"),
    ("es", "Firmo el contrato el 1 de marzo.", "2025-03-01"),
    ("es", "Vivo en Toro desde 2019.", "2019-01-01"),
]


@pytest.mark.parametrize(("language", "said", "day"), WHEN)
def test_a_date_is_resolved_by_when_it_was_said(language: str, said: str, day: str) -> None:
    """Back for what has been, ahead for what is planned."""
    begins = one(said, language).valid_from_us
    assert datetime.fromtimestamp(begins / 1e6, UTC).date().isoformat() == day


def test_a_date_is_written_beside_the_words_for_it() -> None:
    """Since "yesterday" says nothing to who reads it later."""
    assert one("I bought a boat yesterday.").text == "Anna bought a boat yesterday (2024-05-14)"


def test_what_has_been_has_an_end_and_what_goes_on_has_none() -> None:
    """An event of a day ends with it."""
    boat, home = one("I bought a boat yesterday."), one("I've lived in Lyon since 2019.")
    assert boat.valid_until_us - boat.valid_from_us == 24 * 3600 * 1_000_000
    assert home.valid_until_us == 0


def test_dates_that_no_calendar_has_are_no_dates() -> None:
    """And raise nothing."""
    assert one("I bought a boat on the 31st of February.").valid_from_us == 0
