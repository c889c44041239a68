"""The backend behind each kind of model."""

from antiphon_server.integration.models.adapters.local import LocalModel
from antiphon_server.integration.models.adapters.openai_wire import OpenAIModel
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.adapters.pydantic_ai import ProviderModel
from antiphon_server.integration.models.adapters.scripted import ScriptedModel
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.net.http_pool import HttpPool


def make_backend(
    settings: ModelSettings, pool: HttpPool, known: PublicModels | None = None
) -> ModelBackend:
    """The backend for ``settings``; nothing heavy is imported before it is asked."""
    match settings.kind:
        case "openai":
            return OpenAIModel(settings, pool, known)
        case "local":
            return LocalModel(settings, pool)
        case "scripted":
            return ScriptedModel(settings)
        case "provider":
            return ProviderModel(settings, known)
