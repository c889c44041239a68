"""Logs: structured, with what stdlib logging says among them, and without secrets."""

import logging
import logging.handlers
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from antiphon_server.runtime.telemetry.current_rpc import current_session
from antiphon_server.runtime.telemetry.error_file import ErrorFile
from antiphon_server.runtime.telemetry.structured import structlog

LogFormat = Literal["json", "console"]
FILE_BYTES = 10 << 20
FILES = 5
REDACTED = "[redacted]"

_SECRET_KEYS = re.compile(
    r"(^|_)(authorization|cookie|password|passwd|secret|token|api_?key|private_?key|credentials?)$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(?i:bearer\s+)[\w.~+/=-]{8,}"  # a header
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|\b(?:sk|ak|rt|antk|antr)[-_][\w-]{16,}",  # keys and refresh tokens by their prefixes
)
CLIENT_HAS_GONE = 'Failed "execute_batch"'
"""How gRPC says, of an answer that can't be sent, that nobody is there to get it."""
_GRPC_CORE = "grpc._cython.cygrpc"
_QUIET = ("asyncio", "grpc", "alembic", "aiohttp.access", "httpx", "httpx2")

Event = MutableMapping[str, Any]


def configure_logging(
    level: str = "info",
    log_format: LogFormat = "console",
    path: Path | None = None,
    errors: Path | None = None,
) -> None:
    """Send all logs to standard error, and to a rotating file of JSON if ``path`` is given.

    Errors alone go to the file ``errors`` besides. May be called again; the last call counts.
    """
    handlers: list[logging.Handler] = [_stderr(log_format)]
    if path is not None:
        handlers.append(_file(path))
    if errors is not None:
        handlers.append(ErrorFile(errors, _json()))
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "_ours", False)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler._ours = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_GRPC_CORE).addFilter(_is_news)
    structlog.configure(
        processors=[
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Filters before anything is bound or formatted.
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        cache_logger_on_first_use=False,
    )


def _is_news(record: logging.LogRecord) -> bool:
    """A client that leaves while it is answered is none, whatever gRPC makes of it."""
    error = record.exc_info[1] if record.exc_info else None
    return not str(error).startswith(CLIENT_HAS_GONE)


def redact(_logger: Any, _method: str, event: Event) -> Event:
    """Replace secrets: values under telling names, and tokens inside of texts."""
    for key, value in event.items():
        event[key] = REDACTED if _is_secret(key, value) else _clean(value)
    return event


def _is_secret(key: str, value: object) -> bool:
    return isinstance(value, (str, bytes)) and _names_a_secret(key)


@lru_cache(1024)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEYS.search(key) is not None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {k: REDACTED if _is_secret(str(k), v) else _clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def _name_session(_logger: Any, _method: str, event: Event) -> Event:
    if session := current_session():
        event.setdefault("session", session)
    return event


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        _name_session,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(*last: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _stderr(log_format: LogFormat) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(_json())
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        handler.setFormatter(_formatter(structlog.processors.format_exc_info, redact, renderer))
    return handler


def _file(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True
    )
    handler.setFormatter(_json())
    return handler


def _json() -> logging.Formatter:
    return _formatter(
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(default=str),
    )
