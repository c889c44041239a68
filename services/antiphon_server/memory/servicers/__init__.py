"""The RPCs of ``antiphon.memory.v1``."""
