import pytest
from blockbuster import BlockBuster


@pytest.fixture(autouse=True)
def no_blocking_call_on_the_loop(watched: BlockBuster) -> None:
    """The rig's database is memory, and is asked on the loop: nothing waits for it."""
    watched.deactivate()
