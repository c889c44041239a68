"""What is publicly known of models, from genai-prices.

Its table takes a second and 50 MB to load, and is looked into once for each model: so it is
loaded in a process of its own, which ends, and what it said is kept from start to start.
"""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from antiphon_server.integration.models.adapters.kept_answers import KeptAnswers, Known
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.settings import ModelSettings

_PROGRAM = Path(__file__).with_name("price_table.py")
TIMEOUT_S = 60.0
_decode = msgspec.json.Decoder(Known | None).decode


class PublicModels:
    """What others know of models. What was looked up is kept in ``folder``, if there is one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._answers = KeptAnswers(folder)
        self._one_at_a_time = threading.Lock()  # prices and context are asked for at once

    async def prices(self, settings: ModelSettings) -> Prices | None:
        """What the provider publicly asks for the model, None if unknown."""
        known = await asyncio.to_thread(self._known, settings)
        return known.prices if known else None

    async def context_tokens(self, settings: ModelSettings) -> int:
        """The most tokens that its prompt and answer may have together, 0 if unknown.

        Whoever runs an endpoint of their own says so in its settings: for that nothing is loaded.
        """
        if not settings.is_public:
            return 0
        known = await asyncio.to_thread(self._known, settings)
        return known.context_tokens if known else 0

    def _known(self, settings: ModelSettings) -> Known | None:
        with self._one_at_a_time:
            return self._answers.get(
                f"{settings.provider}/{settings.model}",
                lambda: _looked_up(settings.provider, settings.model),
            )


def _looked_up(provider: str, model: str) -> Known | None:
    """Raises OSError, SubprocessError, ValueError."""
    # -P: what lies beside the program is not in the way of what it imports.
    command = (sys.executable, "-P", str(_PROGRAM), provider, model)
    said = subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT_S)
    known: Known | None = _decode(said.stdout)
    return known
