"""What stands in deploy/envoy is what this version prints, and what Envoy takes."""

import subprocess

from antiphon_server.app.edge import rendered_bootstrap
from antiphon_server.mesh.envoy.binary import envoy_binary
from antiphon_server.settings import Settings
from tests.repository.files import ROOT

BOOTSTRAP = ROOT / "deploy" / "envoy" / "bootstrap.json"


def test_it_is_what_is_printed() -> None:
    """Not a line by hand: `antiphon mesh render --ads`."""
    assert BOOTSTRAP.read_text() == rendered_bootstrap(Settings()) + "\n"


def test_envoy_takes_it() -> None:
    """As Envoy itself says."""
    done = subprocess.run(
        [envoy_binary(), "--mode", "validate", "-c", BOOTSTRAP],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
