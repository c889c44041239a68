"""What a model lacks is known before it is asked."""

from pathlib import Path

import pytest

from antiphon_server.integration.models.adapters.backends import make_backend
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.net.http_pool import HttpPool


def missing(settings: ModelSettings) -> str:
    return make_backend(settings, HttpPool()).missing()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("openai/gpt-4.1-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-6", "ANTHROPIC_API_KEY"),
        ("google/gemini-2.5-flash", "GOOGLE_API_KEY or GEMINI_API_KEY"),
        ("foo/bar", "foo"),
    ],
)
def test_a_model_by_its_name_says_what_it_lacks(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable of the key, or that nobody knows such a provider."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    assert says in missing(model_named(name))


@pytest.mark.parametrize("name", ["openai/gpt-4.1-mini", "anthropic/claude-sonnet-4-6"])
def test_a_key_in_its_variable_is_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is missing, as far as is known without asking."""
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert missing(model_named(name)) == ""


@pytest.mark.parametrize("name", ["scripted/echo", "ollama/llama3.2"])
def test_what_needs_no_key_lacks_none(name: str) -> None:
    """Neither a script nor a server on this machine."""
    assert missing(model_named(name)) == ""


def test_a_configured_endpoint_names_its_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the settings name, unless they hold the key itself."""
    monkeypatch.delenv("MY_KEY", raising=False)
    described = {"name": "mine/qwen", "kind": "openai", "base_url": "http://x/v1"}
    described["api_key_env"] = "MY_KEY"
    assert "MY_KEY" in missing(configured(described, ModelSettings))
    assert missing(configured({**described, "api_key": "x"}, ModelSettings)) == ""


def test_a_local_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The file of another model than the packaged one."""
    pytest.importorskip("xllamacpp", reason="the extra `local` is missing")
    gguf = str(tmp_path / "none.gguf")
    settings = configured({"name": "local/mine", "kind": "local", "gguf": gguf}, ModelSettings)
    assert gguf in missing(settings)
    assert missing(model_named("local/smollm2-135m")) == ""
