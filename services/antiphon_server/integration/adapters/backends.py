"""The backend behind each kind of model."""

from antiphon_server.integration.adapters.local import LocalModel
from antiphon_server.integration.adapters.openai_wire import OpenAIModel
from antiphon_server.integration.adapters.pydantic_ai import ProviderModel
from antiphon_server.integration.adapters.scripted import ScriptedModel
from antiphon_server.integration.ports import ModelBackend
from antiphon_server.integration.settings import ModelSettings
from antiphon_server.runtime.net.http_pool import HttpPool


def make_backend(settings: ModelSettings, pool: HttpPool) -> ModelBackend:
    """The backend for ``settings``; nothing heavy is imported before it is asked."""
    match settings.kind:
        case "openai":
            return OpenAIModel(settings, pool)
        case "local":
            return LocalModel(settings, pool)
        case "scripted":
            return ScriptedModel(settings)
        case "provider":
            return ProviderModel(settings)
