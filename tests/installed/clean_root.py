"""A machine on which nothing was done yet: folders of its own, on this one's programs.

It has its own users, ports and names (namespaces of the kernel's, and chroot), so what a guide says
can be done as it stands, as root and as the users that are made there. Needs root, and util-linux.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installed.environments import LIMIT_S, uv
from tests.proofs.bench.processes import ROOT

CHECKOUT = "/src"
_SHARED = ("usr", "bin", "sbin", "lib", "lib64")
_NEW = (
    "opt",
    "var/lib",
    "var/backups",
    "run",
    "etc/systemd/system",
    "src",
    "tools",
    "cache",
    "dev",
)
_COPIED = (
    *("passwd", "group", "shadow", "gshadow", "login.defs", "nsswitch.conf", "resolv.conf"),
    *("pam.d", "security", "default", "ssl", "ld.so.cache", "alternatives", "uv", "pip.conf"),
)
_TOLD = ("UV_", "PIP_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy")
"""What says where packages come from."""
_LOOPBACK = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14s', b'lo', 0x49, bytes(14)))"
)


class CleanRoot:
    """``names`` are this machine's, besides localhost."""

    def __init__(self, folder: Path, names: str) -> None:
        self.folder = folder
        for name in (*_NEW, "proc", "tmp", "root"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "tmp").chmod(0o1777)
        (folder / "etc/hosts").write_text(f"127.0.0.1 localhost {names}\n")
        for name in _COPIED:
            _copy(Path("/etc") / name, folder / "etc" / name)
        self._holder: subprocess.Popen[bytes] | None = None

    def path(self, path: str) -> Path:
        """A path of that machine, seen from this one."""
        return self.folder / path.lstrip("/")

    def run(
        self, script: str, user: str = "root", *, outside: bool = False, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a shell's script to its end; it fails with its first command that does.

        ``outside`` reaches this machine's network.
        """
        become = [] if user == "root" else ["runuser", "-u", user, "--"]
        return subprocess.run(
            [*self.command(outside=outside, **variables), *become, "bash", "-ec", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def command(self, *, outside: bool = False, **variables: str) -> list[str]:
        """What begins a command there, which becomes that process."""
        assert self._holder is not None
        net = [] if outside else ["--net"]
        enter = ["nsenter", "--target", str(self._holder.pid), "--mount", *net]
        given = {**_environment(), **variables}
        told = [f"{name}={value}" for name, value in given.items()]
        return [*enter, "--", "chroot", str(self.folder), "env", "-i", *told]

    @contextmanager
    def mounted(self) -> Iterator["CleanRoot"]:
        """For the block's time."""
        script = "\n".join(["set -e", *self._mounts(), "echo there", "exec sleep infinity"])
        # Killed when this process ends, however that happens; its mounts go with it.
        holder = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net"]
        with subprocess.Popen([*holder, "sh", "-c", script], stdout=subprocess.PIPE) as process:
            self._holder = process
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"there\n"
                yield self
            finally:
                process.kill()

    def _mounts(self) -> Iterator[str]:
        root = shlex.quote(str(self.folder))
        yield f"mount --make-rprivate / && mount --bind {root} {root}"
        for name in _SHARED:
            yield _shared(Path("/") / name, self.folder / name)
        for name in ("proc", "dev"):
            yield f"mount --rbind /{name} {root}/{name}"
        cache = Path(uv("cache", "dir").strip())
        for source, target in {
            ROOT: "src",
            cache: "cache",
            Path(sys.base_prefix): sys.base_prefix.lstrip("/"),
            _uv().parent: "tools",
        }.items():
            if not target.startswith("usr"):
                place = self.folder / target
                place.mkdir(parents=True, exist_ok=True)
                yield f"mount --bind {shlex.quote(str(source))} {shlex.quote(str(place))}"
        yield f'{shlex.quote(sys.executable)} -c "{_LOOPBACK}"'


def _shared(source: Path, target: Path) -> str:
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.exists():
        target.mkdir()
        return f"mount --bind {source} {shlex.quote(str(target))}"
    return ":"


def _environment() -> dict[str, str]:
    told = {name: value for name, value in os.environ.items() if name.startswith(_TOLD)}
    path = f"{sys.base_prefix}/bin:/tools:/usr/sbin:/usr/bin:/sbin:/bin"
    mine = {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}
    return {**told, **mine, "UV_CACHE_DIR": "/cache", "UV_LINK_MODE": "copy"}


def _uv() -> Path:
    """The program itself, not a script that looks for it."""
    found = (Path(sys.base_prefix) / "bin" / "uv", Path(shutil.which("uv") or "/usr/bin/uv"))
    return next(path for path in found if path.exists() and path.read_bytes()[:4] == b"\x7fELF")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore_dangling_symlinks=True)
    elif source.exists():
        shutil.copy2(source, target)
