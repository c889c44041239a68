"""The sizing guide says what was measured."""

from tests.deploy.sizing.page import PAGE, written_into


def test_the_guide_has_the_figures_of_the_files() -> None:
    """Measured anew, they are written anew: `python -m tests.deploy.sizing`."""
    page = PAGE.read_text()
    assert page == written_into(page)
