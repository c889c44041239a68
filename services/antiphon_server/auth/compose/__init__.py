"""The composition root's slice for identity: every concrete class in its place."""

from pathlib import Path

from antiphon_server.auth.compose.elsewhere import AuthElsewhere, compose_elsewhere
from antiphon_server.auth.compose.whole import Auth, compose_auth

VERSIONS = Path(__file__).parents[1] / "adapters" / "migrations" / "versions"

__all__ = ["VERSIONS", "Auth", "AuthElsewhere", "compose_auth", "compose_elsewhere"]
