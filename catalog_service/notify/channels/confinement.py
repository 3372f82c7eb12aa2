"""What this process may do from now on: connect to allowed addresses, and next to nothing else.

In: the operator's policy. Out: a list that fills with what was refused. Called once, by `apprise_child`. Python's audit
hooks (PEP 578) see every connection of the interpreter, whichever library makes it, and cannot be removed. They do not
hold back code that means harm: what they guard against is an address that leads somewhere it should not.
"""

from __future__ import annotations

import mimetypes
import os
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from catalog_service.subscriptions.targets import Policy, refusal

_MOST_MEMORY = 512 << 20
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_REFUSED = frozenset(
    {
        *("subprocess.Popen", "pty.spawn", "ctypes.dlopen"),
        *(
            "os.exec",
            "os.fork",
            "os.forkpty",
            "os.posix_spawn",
            "os.spawn",
            "os.startfile",
            "os.startfile/2",
            "os.system",
        ),
        *(
            "os.chmod",
            "os.chown",
            "os.link",
            "os.mkdir",
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.symlink",
            "os.truncate",
        ),
        *("syslog.openlog", "syslog.syslog", "syslog.setlogmask"),
    }
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_READABLE = ("/etc/localtime", "/usr/share/zoneinfo", os.devnull, *mimetypes.knownfiles)


def confine(policy: Policy) -> list[str]:
    """Confine this process for good; each refusal appends why to the list that is returned.

    A refused act raises PermissionError, which libraries take for what the system says. Connections: only to literal
    addresses that may be told, at allowed ports, so a name has been resolved before. Files: only the libraries are
    read, nothing is written.
    """
    refused: list[str] = []
    readable = _readable()

    def check(event: str, facts: tuple[object, ...]) -> None:
        why = None
        if event in _SENDING:
            why = _no_target(facts[1], policy)
        elif event == "open":
            why = _no_file(facts[0], facts[2], readable)
        elif event in _REFUSED:
            why = f"{event} is not for sending"
        if why:
            refused.append(why)
            raise PermissionError(why)

    _limit()
    sys.addaudithook(check)
    return refused


def _no_target(address: object, policy: Policy) -> str | None:
    """Return why nothing may be sent to ``address``, as `socket` has it."""
    match address:
        case None:  # sent through a socket that is connected already
            return None
        case (str(host), int(port), *_):
            if port not in policy.allowed_ports:
                return f"port {port} may not be told"
            why = refusal(host, policy)
            return f"{host} is {why}" if why else None
    return "only addresses of the Internet may be told"


def _no_file(path: object, flags: object, readable: tuple[Path, ...]) -> str | None:
    if isinstance(path, int) or path == os.devnull:
        return None
    if isinstance(flags, int) and flags & _WRITING:
        return "files are not written"
    real = Path(os.fsdecode(path)).resolve() if isinstance(path, (str, bytes)) else Path()
    return None if any(map(real.is_relative_to, readable)) else "only files of the libraries are read"


def _readable() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    libraries = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(Path(path).resolve() for path in (*libraries, *_READABLE))


def _limit() -> None:
    """Bound memory, and files to nothing, where the system can: an answer may be packed to be vast."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        for kind, most in ((resource.RLIMIT_DATA, _MOST_MEMORY), (resource.RLIMIT_FSIZE, 0)):
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, (most, most))
