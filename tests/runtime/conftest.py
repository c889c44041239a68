import pytest

from antiphon_server.runtime.rpc.health import Health
from tests.runtime.events_service import Events


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def health() -> Health:
    return Health()
