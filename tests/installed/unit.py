"""What systemd makes of a unit's file, of that which ours say.

Environment, user, folders that can be written, exit codes that are final; not limits of resources.
"""

import configparser
import shlex
import signal
import subprocess
from pathlib import Path

from tests.e2e.until import PATIENCE_S
from tests.installed.clean_root import CleanRoot

_KNOWN = {
    *("User", "EnvironmentFile", "ExecStart", "Restart", "RestartPreventExitStatus", "Type"),
    *("ReadWritePaths", "ProtectSystem", "PrivateTmp", "NoNewPrivileges"),
    *("TimeoutStopSec", "MemoryMax", "LimitNOFILE"),
}


class Unit:
    """A service's unit on a machine; ``log`` is what it printed in its last run."""

    def __init__(self, root: CleanRoot, path: str, log: Path) -> None:
        self._root = root
        self._log = log
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(root.path(path).read_text())
        self.service = dict(parser["Service"])
        assert set(self.service) <= _KNOWN, "this knows nothing of the rest"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def exit_code(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    @property
    def is_final(self) -> bool:
        """Whether it has ended and is not to be started again."""
        final = self.service.get("RestartPreventExitStatus", "").split()
        return str(self.exit_code) in final

    def start(self) -> None:
        """Begin it."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def run(self) -> int:
        """Begin it, and return its exit code."""
        self.start()
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def stop(self) -> int:
        """As ``systemctl stop``; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(float(self.service.get("TimeoutStopSec", "90")))

    def kill(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        user = self.service["User"]
        file = self._root.path(self.service["EnvironmentFile"]).read_text()
        told = [line for line in file.splitlines() if line and not line.startswith("#")]
        mounts = "; ".join(self._mounts())
        become = f"setpriv --reuid {user} --regid {user} --init-groups --no-new-privs"
        home = f"env -i PATH=/usr/bin:/bin HOME=/var/lib/{user} {shlex.join(told)}"
        script = f"set -e; {mounts}; cd /; exec {become} {home} {self.service['ExecStart']}"
        return [*self._root.command(), "unshare", "--mount", "sh", "-c", script]

    def _mounts(self) -> list[str]:
        writable = self.service["ReadWritePaths"].split()
        assert self.service["ProtectSystem"] == "strict"
        kept = [f"mount --bind {path} {path}" for path in writable]
        return [*kept, "mount -o remount,bind,ro /", "mount -t tmpfs -o mode=1777 tmpfs /tmp"]
