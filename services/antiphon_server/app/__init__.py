"""The composition root: every service in its place, started and stopped in order."""

from antiphon_server.app.listening import App
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.app.serving import running, serve

__all__ = ["DATABASE_FILE", "App", "running", "serve"]
