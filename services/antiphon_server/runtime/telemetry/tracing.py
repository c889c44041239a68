"""Traces sent over OTLP, if somebody asked for them (0.3 s to import)."""

import asyncio
import importlib
import os
from collections.abc import Sequence
from typing import Any

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXPORTER = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"


class TracingUnavailable(Exception):
    """The exporter is not installed; the message says how to install it."""


class Tracing:
    """A tracer ``provider`` with its exporter."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    def headers(self) -> Sequence[tuple[str, str]]:
        """What makes a call of another process part of the span in hand (W3C Trace Context)."""
        from opentelemetry.propagate import inject

        carrier: dict[str, str] = {}
        inject(carrier)
        return tuple(carrier.items())

    async def stop(self) -> None:
        """Send what waits, and stop the exporter's thread."""
        await asyncio.to_thread(self.provider.shutdown)


def start_tracing(endpoint: str = "", service: str = "antiphon") -> Tracing | None:
    """Trace to ``endpoint``, or to the one that the environment names; None if there is neither.

    Raises TracingUnavailable.
    """
    endpoint = endpoint or os.environ.get(ENDPOINT_VARIABLE, "")
    if not endpoint:
        return None
    try:
        exporters = importlib.import_module(EXPORTER)
    except ImportError as error:
        message = f"{ENDPOINT_VARIABLE} is set: install the extra `otlp`, or unset it"
        raise TracingUnavailable(message) from error
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = exporters.OTLPSpanExporter(
        endpoint=endpoint, insecure=endpoint.startswith("http://")
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
