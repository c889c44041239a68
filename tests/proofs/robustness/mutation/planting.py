"""A plug-in of pytest that plants a defect before any test is collected."""

import os

from tests.proofs.robustness.mutation.__main__ import VARIABLE
from tests.proofs.robustness.mutation.defects import plant


def pytest_configure() -> None:
    """Plant what the variable names, if it names anything."""
    if name := os.environ.get(VARIABLE):
        plant(name)
