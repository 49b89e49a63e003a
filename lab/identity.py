"""The files that make a machine this machine: written before its first boot, never afterwards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from lab import database
from lab.settings import LINKS, PREFIX_LENGTH, SIP_PORT, STANDIN, VIP, Machine

SYSTEM = "etc/systemd/system"
WANTS = f"{SYSTEM}/multi-user.target.wants"
STANDIN_PATH = "/opt/fsha-standin"
PASSWORD_FILE = "/etc/freeswitch/event_socket.password"  # noqa: S105 - a path

STANDIN_SETTINGS = "/etc/freeswitch/standin.json"
SHARED_FILE = "/srv/lab/recovery.db"

HOSTS = """\
127.0.0.1\tlocalhost
127.0.1.1\t{name}

# The following lines are desirable for IPv6 capable hosts
::1     localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""

REAL_FREESWITCH_UNIT = """\
[Unit]
Description=FreeSWITCH
After=network-online.target
Wants=network-online.target

[Service]
Type=forking
WorkingDirectory=/
ExecStart={prefix}/bin/freeswitch -nonat -ncwait
TimeoutSec=45s
Restart=always
RestartSec=1
LimitCORE=0
LimitNOFILE=100000

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Identity:
    """What the machines of one lab are told: its name, its secrets, its FreeSWITCH.

    With a ``database_password`` there is a PostgreSQL outside, and the nodes know it.
    """

    lab: str
    password: str
    freeswitch: Path | None = None
    database_password: str = ""

    def files(self, machine: Machine) -> dict[str, tuple[str, int]]:
        """Return path (relative to the root) → text and mode."""
        name = machine.name
        found = {
            "etc/hostname": (f"{name}\n", 0o644),
            "etc/hosts": (HOSTS.format(name=name), 0o644),
            "etc/machine-id": (f"{machine_id(self.lab, name)}\n", 0o444),
        }
        if machine.is_node:
            found["etc/lab-addresses"] = (addresses(machine), 0o644)
            found["etc/salt/minion_id"] = (f"{name}\n", 0o644)
            found["etc/freeswitch/event_socket.password"] = (f"{self.password}\n", 0o400)
            if self.freeswitch is not None:
                unit = REAL_FREESWITCH_UNIT.format(prefix=self.freeswitch)
                found[f"{SYSTEM}/freeswitch.service"] = (unit, 0o644)
            else:
                where = database.uri() if self.database_password else SHARED_FILE
                found[STANDIN_SETTINGS.lstrip("/")] = (standin_settings(where), 0o644)
        if self.database_password and machine.is_node:
            secret = database.passfile(self.database_password)
            found[database.PASSFILE.lstrip("/")] = (secret, 0o600)
        elif self.database_password:
            found[f"{SYSTEM}/{database.SERVICE}.service"] = (database.UNIT, 0o644)
        return found

    def links(self, machine: Machine) -> dict[str, str]:
        """Return path (relative to the root) → what the symbolic link there points to."""
        if not machine.is_node:
            units = ["salt-master", *([database.SERVICE] if self.database_password else [])]
            return {f"{WANTS}/{unit}.service": f"/{SYSTEM}/{unit}.service" for unit in units}
        found = {
            f"{WANTS}/{unit}": f"/{SYSTEM}/{unit}"
            for unit in ("salt-minion.service", "lab-address.service")
        }
        # Wanted by the online target too: services that bind an address wait for that one.
        online = f"{SYSTEM}/network-online.target.wants/lab-address.service"
        found[online] = f"/{SYSTEM}/lab-address.service"
        if self.freeswitch is not None:
            found["usr/bin/fs_cli"] = f"{self.freeswitch}/bin/fs_cli"
            found["usr/bin/freeswitch"] = f"{self.freeswitch}/bin/freeswitch"
        elif STANDIN.is_dir():
            found["usr/bin/fs_cli"] = f"{STANDIN_PATH}/fs_cli"
            found["usr/bin/freeswitch"] = f"{STANDIN_PATH}/freeswitch"
            found[f"{SYSTEM}/freeswitch.service"] = f"{STANDIN_PATH}/freeswitch.service"
        else:
            return found
        found[f"{WANTS}/freeswitch.service"] = f"/{SYSTEM}/freeswitch.service"
        return found

    def write(self, root: Path, machine: Machine) -> None:
        """Write all of it under *root*, the machine's empty writable layer."""
        for path, (text, mode) in self.files(machine).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_text(text, encoding="utf-8")
            target.chmod(mode)
        for path, pointed in self.links(machine).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(pointed)


def machine_id(lab: str, name: str) -> str:
    """Return a machine id that stays the same for a machine of a lab."""
    return hashlib.sha256(f"fsha-lab/{lab}/{name}".encode()).hexdigest()[:32]


def addresses(machine: Machine) -> str:
    """Return the lines ``INTERFACE ADDRESS/LENGTH`` that the lab-address service reads."""
    return "".join(
        f"{link.interface} {link.address(machine.host)}/{PREFIX_LENGTH}\n" for link in LINKS
    )


def standin_settings(recovery_db: str = SHARED_FILE) -> str:
    """Return the settings of the FreeSWITCH stand-in as JSON text.

    Args:
        recovery_db: a path or a PostgreSQL URI.

    """
    settings = {
        "profiles": [{"name": "internal", "sip_ip": VIP, "sip_port": SIP_PORT}],
        "event_socket": {"host": "127.0.0.1", "port": 8021, "password_file": PASSWORD_FILE},
        "recovery_db": recovery_db,
        "switchname": "voice",
    }
    return json.dumps(settings, indent=2) + "\n"
