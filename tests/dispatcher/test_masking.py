"""A worker's outputs count as stored when nothing of them is held back."""

from antiphon_server.dispatcher.masking import MOST_HELD, Shown


class HoldsWords:
    """Shows a word when the next blank has come."""

    def __init__(self) -> None:
        self._word = ""

    @property
    def held(self) -> int:
        """The length of the word that has not ended."""
        return len(self._word)

    def feed(self, text: str) -> str:
        """All up to the last blank."""
        said = self._word + text
        shown, blank, self._word = said.rpartition(" ")
        return shown + blank

    def end(self) -> str:
        """The last word."""
        return self._word


def test_without_a_mask_all_is_shown() -> None:
    """And counts at once."""
    shown = Shown()
    assert shown.take("text", 3) == ("text", 3)
    assert shown.counted(4) == 4
    assert shown.rest() == ("", 0)


def test_an_output_counts_when_it_is_shown_as_a_whole() -> None:
    """Nothing of what is held back, and nothing that came behind it."""
    shown = Shown(HoldsWords())
    assert shown.take("one t", 1) == ("one ", 0)
    assert shown.counted(2) == 0  # a step that says nothing, behind what is held
    assert shown.take("wo ", 3) == ("two ", 3)
    assert shown.take("three", 4) == ("", 0)
    assert shown.rest() == ("three", 4)


def test_who_waits_for_word_of_outputs_is_told_in_time() -> None:
    """However much is held back, no more than 16 are on their way."""
    shown = Shown(HoldsWords())
    counted = [shown.take("x", number)[1] for number in range(1, MOST_HELD + 4)]
    assert counted == [0] * MOST_HELD + [1, 2, 3]
