"""How much of tools a turn may use; docs/guides/tools.md."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ToolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The setting ``ANTIPHON_TOOLS``: what it does not name keeps its default.

    A turn asks models ``steps`` times at most, since one that calls tools for ever costs money
    for ever; a call may take ``call_s`` seconds. Of each workspace's large results the newest
    ``kept_mb`` megabytes are kept; 0 keeps none.
    """

    steps: Annotated[int, Meta(ge=1, le=1000)] = 16
    call_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    kept_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 256

    @property
    def kept_bytes(self) -> int:
        """``kept_mb`` in bytes."""
        return self.kept_mb * 1_000_000
