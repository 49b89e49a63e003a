"""What a node knows of itself that the cluster does not: its switch, its files, its host.

Every node notes its facts in a transient attribute, so that the other one can compare them; they
hold hashes where the thing itself is nobody's business.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fshalib import errors
from fshalib.cib import watchdog
from fshalib.freeswitch import client, config_hash
from fshalib.pacemaker import tools
from fshalib.store import config as store_config
from fshalib.store import health as store_health
from fshalib.switchover import arp
from fshalib.system import programs

ATTRIBUTE = "fsha-facts"
FORM = "%Y-%m-%dT%H:%M:%SZ"
AGENTS = ("/usr/lib/ocf/resource.d/fsha", "/usr/lib/fsha", "/etc/init.d/FSSofia")
LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/lib/rpm/.rpm.lock",
)
CERTIFICATES = ("agent.pem", "wss.pem")
DISKS = ("/var/lib/pacemaker", "/var/log")
NONLOCAL_BIND = "/proc/sys/net/ipv4/ip_nonlocal_bind"

Ask = Callable[[str], str]
Facts = dict[str, Any]


def gather(node: str, ask: Ask, run: programs.Runner = programs.run) -> Facts:
    """Return this node's facts.

    ask
        Returns the switch's answer to a command.

    What can't be known is left out; ``switch`` says why a switch can't be asked.
    """
    return {
        "node": node,
        "at": datetime.now(timezone.utc).strftime(FORM),
        "switch": _switch(ask, run),
        "agents": agents_hash(map(Path, AGENTS)),
        "nonlocal_bind": _first_line(Path(NONLOCAL_BIND)),
        "disks": {name: _free(name) for name in DISKS if Path(name).exists()},
        "locked": locked(Path("/proc/locks"), map(Path, LOCKS)),
        "synchronised": _synchronised(run),
        "routers": _routers(run),
        "sbd": tools.runs(watchdog.SBD, run),
        **_store(),
    }


def _store() -> Facts:
    """Return what this node finds of the stores of the pair, nothing where it has none."""
    if not Path(store_config.PATH).exists():
        return {}
    try:
        findings = store_health.look(store_config.load())
    except errors.StoreError as error:
        findings = (store_health.Finding(store_health.FAIL, str(error)),)
    return {"store": [finding.as_data() for finding in findings]}


def _switch(ask: Ask, run: programs.Runner) -> Facts:
    try:
        told = {key: ask(command).strip() for key, command in _QUESTIONS.items()}
        shown = ask("sofia xmlstatus")
        profiles = client.parse_bound(shown)
        gateways = client.parse_gateways(ask("sofia xmlstatus gateway"))
    except client.SwitchUnreachable as error:
        return {"running": False, "why": f"it does not answer: {error.reason}"}
    except programs.RunError as error:
        return {"running": False, "why": str(error)}
    return {
        "running": True,
        "ready": told["ready"] == "true",
        "paused": told["paused"] == "true",
        "version": told["version"].split(" (", 1)[0][:80],
        "uptime": int(told["uptime"]) if told["uptime"].isdecimal() else None,
        "core": told["core"],
        "switchname": told["switchname"],
        "answers": "-ERR" not in told["channels"],
        "profiles": sorted(profile.name for profile in profiles),
        "serves": list(client.stamped(told["core"])),
        "gateways": {name: gateway.get("state", "") for name, gateway in gateways.items()},
        "config": _config(told["conf_dir"]),
        "certificates": _certificates(told["certs_dir"], run) if client.speaks_tls(shown) else {},
    }


_QUESTIONS: Mapping[str, str] = {
    "ready": "fsctl ready_check",
    "paused": "fsctl pause_check inbound",
    "version": "version",
    "uptime": "uptime s",
    "core": "global_getvar core_uuid",
    "switchname": "switchname",
    "channels": "show channels count",
    "conf_dir": "global_getvar conf_dir",
    "certs_dir": "global_getvar certs_dir",
}


def _config(directory: str) -> Facts:
    try:
        found = config_hash.config_hash(Path(directory)) if directory else None
    except OSError:
        return {}
    return {} if found is None else {part: text[:16] for part, text in found["parts"].items()}


def _certificates(directory: str, run: programs.Runner) -> dict[str, int | None]:
    """Return each certificate of the switch, and in how many days it runs out."""
    files = sorted(Path(directory).glob("*.pem")) if directory else []
    return {file.name: _days_left(file, run) for file in files if file.name in CERTIFICATES}


def _days_left(file: Path, run: programs.Runner) -> int | None:
    argv = ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", str(file)]
    try:
        done = run(argv, timeout=5)
        end = datetime.strptime(done.out.strip(), "notAfter=%Y-%m-%d %H:%M:%SZ")
    except (programs.RunError, ValueError):
        return None
    return (end.replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)).days


def _routers(run: programs.Runner) -> dict[str, bool | None]:
    try:
        return arp.routers(run)
    except programs.RunError:
        return {}


def agents_hash(places: Iterable[Path]) -> str:
    """Return one hash of all files in some places, ``""`` when there is none."""
    files = sorted(
        file for place in places for file in ([place] if place.is_file() else place.rglob("*"))
    )
    digest = hashlib.sha256()
    found = False
    for file in files:
        if file.is_file():
            found = True
            digest.update(f"{file}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16] if found else ""


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def nonlocal_bind(path: Path = Path(NONLOCAL_BIND)) -> bool | None:
    """Tell whether this host lets programs bind addresses that it has not, ``None`` if unknown."""
    return {"0": False, "1": True}.get(_first_line(path))


def _free(path: str) -> int:
    """Return how much of a file system is free, in per cent."""
    usage = shutil.disk_usage(path)
    return int(100 * usage.free / usage.total) if usage.total else 0


def locked(table: Path, files: Iterable[Path]) -> str:
    """Return the first of some files that a process has locked, ``""`` if none.

    table
        The kernel's list, ``/proc/locks`` (proc(5)).
    """
    inodes = set(re.findall(r"\b[0-9a-f]+:[0-9a-f]+:(\d+)\b", _first_line(table)))
    for file in files:
        try:
            number = file.stat().st_ino
        except OSError:
            continue
        if str(number) in inodes:
            return str(file)
    return ""


def _synchronised(run: programs.Runner) -> bool | None:
    """Tell whether the clock is kept right, ``None`` if the host can't say."""
    try:
        done = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], timeout=5)
    except programs.RunError:
        return None
    return {"yes": True, "no": False}.get(done.out.strip())


def parse(text: str) -> Facts | None:
    """Return the facts that an attribute holds, ``None`` for anything else."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return believed(data)


def believed(data: object) -> Facts | None:
    """Return what somebody gives as facts, ``None`` for anything else."""
    return data if isinstance(data, dict) and isinstance(data.get("switch"), dict) else None


def render(facts: Facts) -> str:
    """Return facts as an attribute's value."""
    return json.dumps(facts, separators=(",", ":"))
