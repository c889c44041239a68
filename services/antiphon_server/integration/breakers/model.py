"""What operators say of breakers."""

from dataclasses import dataclass
from typing import NewType

Target = NewType("Target", str)
"""What is called: ``models/{name}``, ``connections/{name}`` of the installation, or
``workspaces/{workspace_id}/connections/{name}``."""


@dataclass(frozen=True, slots=True)
class Said:
    """That it is to be open, or closed; each time that somebody says so has a greater number."""

    open: bool
    number: int


def model_target(name: str) -> Target:
    """How a model is called here."""
    return Target(f"models/{name}")


def connection_target(workspace_id: str, name: str) -> Target:
    """How a connection is called here: one of a workspace, or "" for the installation."""
    where = f"workspaces/{workspace_id}/" if workspace_id else ""
    return Target(f"{where}connections/{name}")
