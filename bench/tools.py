"""The tools that are compared: what each runs for a case, how long it takes, what it starts.

Each of them works on a CIB in a file of its own (``CIB_file``) in a node without a running
cluster, so that nothing else happens meanwhile:

fsha    one process that does what a run does, see ``bench/worker.py``
crmsh   ``crm configure load update`` with a text of all resources
pcs     ``pcs -f`` for each resource: ``create`` from nothing, else ``config``, by which one
        sees whether it is as wanted, and one ``update`` for the change
floor   ``cibadmin --query``, ``crm_verify`` and ``crm_simulate`` on what crmsh has left: no
        one who asks the cluster's own judges can do less. ``crm_simulate --run`` it is, since
        ``--simulate`` plays every action through: 2 s for 100 starts, minutes for 1,000
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import resources
from bench.resources import NONE, NOTHING, Setup
from lab import Node, sh
from lab.settings import COMMAND_ENVIRONMENT

ROOM = "/var/tmp/fsha-bench"
UTILS = f"{ROOM}/utils"
BARE = f"{ROOM}/bare.xml"
WORKER = "/srv/formula/bench/worker.py"
PYTHON = "/opt/salt/bin/python"
PACKAGES = ["pacemaker-cli-utils", "resource-agents", "crmsh", "pcs"]
POLICY = "/usr/sbin/policy-rc.d"
NO_START = "#!/bin/sh\nexit 101\n"
LONGEST = 900
STRACE = ["strace", "--follow-forks", "--seccomp-bpf", "--quiet=all", "--trace=execve"]
_STARTED = re.compile(r"execve.* = 0$")
# nsenter, and the shell that reads the script.
NOT_COUNTED = 2


def install(node: Node) -> None:
    """Put all tools on a bare node, with no service started.

    fsha goes where Python can keep its ``.pyc``, as it does on a minion, in Salt's cache.
    """
    node.write(POLICY, NO_START, 0o755)
    get = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *PACKAGES]
    node.run(["env", "DEBIAN_FRONTEND=noninteractive", *get], timeout=300)
    node.run(["rm", POLICY])
    node.run(["/opt/salt/bin/pip", "install", "--quiet", "lxml"], timeout=120)
    node.run(["rm", "-rf", ROOM])
    node.run(["mkdir", ROOM])
    node.run(["cp", "-r", "/srv/formula/_utils", UTILS])
    node.write(BARE, resources.bare_cib(node))


class Tool:
    """One way of reconciling.

    ``file`` is the CIB on which it works, ``base`` that in which all of its resources run,
    once there is one (``ready``), ``said`` the output of its last run.
    """

    name = ""

    def __init__(self, node: Node, setup: Setup) -> None:
        self.node, self.setup = node, setup
        self.file = f"{ROOM}/{self.name}.xml"
        self.base = f"{ROOM}/{self.name}-{setup.key}.xml"
        self.said = ""
        self.ready = False

    def prepare(self) -> None:
        """Write what the tool reads."""

    def commands(self, case: str) -> list[str]:
        """Return the lines of the script that does it."""
        raise NotImplementedError

    def start(self, case: str) -> str:
        """Return the file with which a case begins."""
        return BARE if case == NOTHING else self.base

    def set_up(self, case: str) -> None:
        """Bring the CIB into the state with which a case begins."""
        self.node.run(["cp", self.start(case), self.file])

    def run(self, case: str, prefix: Sequence[str] = ()) -> float:
        """Do it once from the case's beginning on, and return the seconds."""
        script = f"{ROOM}/{self.name}.sh"
        self.node.write(script, "\n".join(["set -e", *self.commands(case), ""]))
        self.set_up(case)
        argv = [*prefix, *self.node.enter(["sh", script])]
        env = {**COMMAND_ENVIRONMENT, "CIB_file": self.file}
        done = sh.run(argv, env=env, timeout=LONGEST, shown=[self.name, case], where=self.node.name)
        self.said = done.out
        return done.seconds

    def processes(self, case: str) -> int:
        """Do it once more, and return how many programs were started for it."""
        with tempfile.NamedTemporaryFile(prefix="fsha-bench-") as log:
            self.run(case, [*STRACE, f"--output={log.name}", "--"])
            lines = Path(log.name).read_text("utf-8", "replace").splitlines()
        return sum(_STARTED.search(line) is not None for line in lines) - NOT_COUNTED

    def wrote(self, case: str) -> bool:
        """Tell whether it has changed the CIB, as it should in all cases but one."""
        return not self.node.run(["cmp", "-s", self.start(case), self.file], check=False).ok


class Fsha(Tool):
    """fsha itself."""

    name = "fsha"

    def prepare(self) -> None:
        """Write the pillars."""
        for case in resources.CASES:
            self.node.write(self.pillar(case), resources.as_pillar(self.setup, case))

    def pillar(self, case: str) -> str:
        """Return the path of a case's pillar."""
        return f"{ROOM}/{case.replace(' ', '-')}-{self.setup.key}.json"

    def commands(self, case: str) -> list[str]:
        """Return the worker's command."""
        return [f"{PYTHON} {WORKER} {UTILS} {self.pillar(case)}"]


class Crmsh(Tool):
    """crmsh, the whole configuration at once."""

    name = "crm"

    def prepare(self) -> None:
        """Write the texts."""
        for case in resources.CASES:
            self.node.write(self._text(case), resources.as_crm_text(self.setup, case))

    def _text(self, case: str) -> str:
        return f"{ROOM}/{case.replace(' ', '-')}-{self.setup.key}.crm"

    def commands(self, case: str) -> list[str]:
        """Return the one command."""
        return [f"crm configure load update {self._text(case)}"]


class Pcs(Tool):
    """pcs, one resource at a time."""

    name = "pcs"

    def commands(self, case: str) -> list[str]:
        """Return a command for each resource."""
        return resources.as_pcs_commands(self.file, self.setup, case)


class Floor(Tool):
    """The bare tools, which write nothing, on what another tool has left."""

    name = "floor"

    def __init__(self, left: Tool) -> None:
        super().__init__(left.node, left.setup)
        self.file = left.file

    def commands(self, _case: str) -> list[str]:
        """Return the three commands."""
        bare = ("cibadmin --query", "crm_verify --live-check", "crm_simulate --run --live-check")
        return [f"{command} >/dev/null" for command in bare]

    def set_up(self, _case: str) -> None:
        """Leave all as it is."""

    def wrote(self, case: str) -> bool:
        """Tell whether the other tool has written."""
        return case != NONE
