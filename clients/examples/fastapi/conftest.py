import pytest

pytest_plugins = ["antiphon_client.testing.fixtures"]


@pytest.fixture(scope="session")
def antiphon_answers() -> dict[str, str]:
    """The model of the tests."""
    return {"What is the capital of France?": "The capital of France is Paris."}
