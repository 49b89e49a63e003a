"""What fsha asks of Pacemaker, one small function per question.

Each function runs one of the cluster's own tools through the runner it is given and
returns data. With ``CIB_file`` in the environment they all work on a file.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from fshalib.system import programs
from fshalib.system.programs import Completed, Runner, ToolFailed

WAIT_SLACK = 15.0
CIB_FILE = "CIB_file"
# What crm_verify says of an error: its own severity, or libxml2's words for a bad document.
_ERROR = re.compile(r"(error|crit|alert|emerg): |.*: ((Relax-NG )?validity|parser) error : ")
_INVALID = "An invalid transition was produced"
_WARNING = re.compile(r"warning: ")


class ClusterError(programs.RunError):
    """The cluster cannot be asked."""


class ClusterDown(ClusterError):
    """Pacemaker does not run on this node."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(
            "Pacemaker does not run on this node: start it with 'systemctl start pacemaker' "
            "and look at 'journalctl -u pacemaker' if it stops again."
        )


class NotPermitted(ClusterError):
    """The user may not ask the cluster."""

    def __init__(self) -> None:
        super().__init__(
            "The cluster may only be asked by root or the group haclient: run as root."
        )


class NoQuorum(ClusterError):
    """The cluster refuses a change because it has no quorum."""

    def __init__(self) -> None:
        super().__init__(
            "The cluster has no quorum and takes no change: bring the other node back first."
        )


class ToolTooOld(ClusterError):
    """A tool does not know an option that fsha needs."""

    def __init__(self, program: str, said: str) -> None:
        self.program, self.said = program, said
        super().__init__(
            f"{program} on this node does not know what it is asked ({said}): Pacemaker 2.1 or "
            "newer is needed, and its command-line tools of the same version."
        )


class StaleCib(ClusterError):
    """The CIB has changed since it was read; nothing was written."""

    def __init__(self) -> None:
        super().__init__("The CIB has changed since it was read; nothing was written.")


class InvalidCib(ClusterError):
    """The cluster's own judge refuses a candidate."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        self.errors = errors
        super().__init__("crm_verify refuses the new configuration: " + "; ".join(errors))


class NotSettled(ClusterError):
    """The cluster is still busy when the patience ends."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"The cluster has not settled within {seconds:g} s.")


class BadFile(ClusterError):
    """The file that stands in for the cluster is none that Pacemaker reads."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{CIB_FILE} names {path}, {why}.")


def on_file() -> bool:
    """Tell whether a file stands in for the cluster (``CIB_file``)."""
    return bool(os.environ.get(CIB_FILE))


def _judge(completed: Completed) -> Completed:
    """Turn the exit codes that mean the same for every tool into their errors."""
    if completed.code in (programs.EX_DISCONNECT, programs.EX_UNAVAILABLE):
        raise ClusterDown(completed.err.strip())
    if completed.code == programs.EX_INSUFFICIENT_PRIV:
        raise NotPermitted
    if completed.code == programs.EX_QUORUM:
        raise NoQuorum
    if completed.code == programs.EX_OLD:
        raise StaleCib
    if completed.code == programs.EX_USAGE:
        lines = [line.strip() for line in completed.err.splitlines() if line.strip()]
        raise ToolTooOld(completed.argv[0], lines[0] if lines else "usage error")
    if completed.code != programs.EX_OK:
        raise ToolFailed(completed)
    return completed


def query(run: Runner = programs.run) -> str:
    """Return the text of the live CIB with its status section."""
    done = run(["cibadmin", "--query"])
    if done.code != programs.EX_OK:
        _check_file()
    if on_file() and done.code == programs.EX_CONFIG:
        file = os.environ[CIB_FILE]
        raise BadFile(file, f"which does not fit its schema; crm_verify --xml-file {file} says why")
    return _judge(done).out


def status(run: Runner = programs.run) -> str:
    """Return what ``crm_mon`` says, as XML."""
    _check_file()
    return _judge(run(["crm_mon", "-1", "--inactive", "--output-as=xml"])).out


def _check_file() -> None:
    """Look at the file that stands in for the cluster: the tools say little of what is wrong."""
    file = os.environ.get(CIB_FILE)
    why = _file_trouble(Path(file)) if file else ""
    if file and why:
        raise BadFile(file, why)


def _file_trouble(file: Path) -> str:
    """Return what is wrong with the file that stands in for the cluster, ``""`` if nothing is."""
    try:
        if not file.is_file():
            return "which is no file" if file.exists() else "which does not exist"
        text = file.read_bytes()
    except OSError as error:
        return f"which can't be read: {error.strerror}"
    try:
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return f"which is no XML: {error.msg}"
    return "" if root.tag == "cib" else f"which is no CIB: its root is <{root.tag}>"


def verify(cib: str, run: Runner = programs.run) -> tuple[str, ...]:
    """Let ``crm_verify`` judge a candidate; return its warnings.

    The exit code alone is no verdict: it is the same for warnings (deprecated spellings)
    and for errors. Raises :class:`InvalidCib` for errors.
    """
    done = run(["crm_verify", "--verbose", "--xml-pipe"], stdin=cib)
    if done.code == programs.EX_OK:
        return ()
    said = tuple(_without_place(line) for line in (done.err + done.out).splitlines() if line)
    errors = tuple(dict.fromkeys(line for line in said if _ERROR.match(line)))
    if errors or done.code != programs.EX_CONFIG:
        raise InvalidCib(errors or said or (f"exit code {done.code}",))
    return tuple(dict.fromkeys(line for line in said if _WARNING.match(line)))


def _without_place(line: str) -> str:
    """Drop the function name that Pacemaker's tools put before a message."""
    return line.split("\t")[-1].strip()


def foresee(cib: str, run: Runner = programs.run) -> str:
    """Return what the cluster would do with a CIB, as XML, without where that leads to.

    Measured on Pacemaker 2.1.5: playing a transition through takes 2 s for 100 starts and six
    minutes for 1,000; telling its actions takes 0.1 s and 0.3 s.
    """
    argv = ["crm_simulate", "--run", "--xml-pipe", "--output-as=xml"]
    return _judge(run(argv, stdin=cib, timeout=60)).out


def simulate(cib: str, run: Runner = programs.run) -> str:
    """Return what the cluster would do with a CIB, as XML, and where that leads to."""
    argv = ["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"]
    return _judge(run(argv, stdin=cib, timeout=60)).out


@dataclass(frozen=True)
class Played:
    """What the cluster would do, as XML, and the CIB to which that leads."""

    out: str
    cib: str


def play(cib: str, fail: str = "", run: Runner = programs.run) -> Played:
    """Let the cluster settle with a CIB, after a node has failed.

    cib
        A CIB with its status.
    fail
        The node that fails; without it nothing happens before.

    Raises :class:`programs.RunError`.
    """
    events = ["--node-fail", fail] if fail else []
    with tempfile.TemporaryDirectory(prefix="fsha-") as folder:
        path = Path(folder, "outcome.xml")
        saved = ["--output-as=xml", "--save-output", str(path)]
        done = run(["crm_simulate", "--simulate", "--xml-pipe", *saved, *events], cib, timeout=60)
        # Orders in a circle: what could be done has been done.
        if _INVALID not in done.out:
            _judge(done)
        return Played(done.out, path.read_text(encoding="utf-8"))


def outcome(cib: str, run: Runner = programs.run) -> str:
    """Return the CIB to which the cluster would come with a CIB, if all goes well."""
    with tempfile.TemporaryDirectory(prefix="fsha-") as folder:
        path = Path(folder, "outcome.xml")
        argv = ["crm_simulate", "--simulate", "--xml-pipe", "--save-output", str(path)]
        _judge(run(argv, stdin=cib, timeout=60))
        return path.read_text(encoding="utf-8")


def patch(live: str, target: str, run: Runner = programs.run) -> str:
    """Return the versioned patch between two CIBs, ``""`` when they are the same."""
    with tempfile.TemporaryDirectory(prefix="fsha-") as folder:
        old, new = Path(folder, "live.xml"), Path(folder, "target.xml")
        for path, text in ((old, live), (new, target)):
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
        done = run(["crm_diff", "--original", str(old), "--new", str(new)])
    if done.code not in (programs.EX_OK, programs.EX_DIFFERENT):
        raise ToolFailed(done)
    return done.out if done.code == programs.EX_DIFFERENT else ""


def apply_patch(patch: str, run: Runner = programs.run) -> None:
    """Commit a versioned patch.

    Raises :class:`StaleCib` when the CIB is no longer the one that the patch was made for.
    """
    _judge(run(["cibadmin", "--patch", "--xml-pipe"], stdin=patch, timeout=60))


def settle(seconds: float, run: Runner = programs.run) -> None:
    """Wait until the cluster has nothing left to do.

    Raises :class:`NotSettled` after ``seconds``.
    """
    if on_file():
        return
    limit = f"--timeout={max(int(seconds), 1)}s"
    try:
        done = run(["crm_resource", "--wait", limit], timeout=seconds + WAIT_SLACK)
    except programs.ToolTimeout as error:
        raise NotSettled(seconds) from error
    if done.code == programs.EX_TIMEOUT:
        raise NotSettled(seconds)
    _judge(done)


def local_node(run: Runner = programs.run) -> str:
    """Return this node's name in the cluster."""
    return _judge(run(["crm_node", "--name"])).out.strip()


def note(name: str, value: str, nodes: Sequence[str], run: Runner = programs.run) -> None:
    """Write a transient node attribute, which is state and no configuration.

    It goes when its node leaves the cluster, so it is written on every node of ``nodes``.
    """
    if on_file():
        return
    for node in nodes:
        argv = ["attrd_updater", "--name", name, "--update", value, "--node", node]
        _judge(run(argv))


def noted(name: str, run: Runner = programs.run) -> dict[str, str]:
    """Return a transient attribute of each node that has it, as attrd knows it now, node → value.

    The CIB gets to know it a moment later.
    """
    if on_file():
        return {}
    done = run(["attrd_updater", "--name", name, "--query", "--all", "--output-as=xml"])
    if done.code == programs.EX_CONFIG:
        return {}  # what it says of an attribute that no node has
    root = tree(_judge(done))
    return {
        found.get("host", ""): found.get("value", "")
        for found in root.iter("attribute")
        if found.get("host") and found.get("value") is not None
    }


def tree(done: Completed) -> etree._Element:
    """Return the XML that a tool has printed; raises :class:`programs.ToolFailed` for none."""
    text = done.out.encode("utf-8", "surrogateescape")
    try:
        return etree.fromstring(text, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise ToolFailed(done) from error


def forget(name: str, node: str, run: Runner = programs.run) -> None:
    """Remove a transient attribute of a node."""
    if on_file():
        return
    _judge(run(["attrd_updater", "--name", name, "--delete", "--node", node]))


def let_go(resource: str, node: str, run: Runner = programs.run) -> None:
    """Let the cluster forget on a node that a resource runs there, without stopping it.

    The cluster would find it again at once, unless it may not look for it.
    """
    if on_file():
        return
    _judge(run(["crm_resource", "--refresh", "--resource", resource, "--node", node], timeout=60))


def metadata(agent: str, run: Runner = programs.run) -> str | None:
    """Return an agent's metadata (XML); ``None`` when the agent is not installed."""
    done = run(["crm_resource", "--show-metadata", agent])
    if done.code == programs.EX_NOSUCH:
        return None
    return _judge(done).out


def agents(space: str, run: Runner = programs.run) -> tuple[str, ...]:
    """Return the names of the agents that are installed.

    space
        Where to look: a standard with its provider, ``ocf:heartbeat``, or alone, ``lsb``.
    """
    done = run(["crm_resource", "--list-agents", space, "--output-as=xml"])
    if done.code in (programs.EX_NOSUCH, programs.EX_ERROR):
        # An unknown standard or provider is an error to some versions.
        return ()
    root = tree(_judge(done))
    return tuple(f"{space}:{agent.text}" for agent in root.iter("agent"))


def runs(service: str, run: Runner = programs.run) -> bool:
    """Tell whether a systemd service is active on this node; not where there is no systemd."""
    try:
        return run(["systemctl", "is-active", service]).code == programs.EX_OK
    except programs.ToolMissing:
        return False


_VERSION = re.compile(r"Pacemaker (\d+)\.(\d+)\.(\d+)")


def version(run: Runner = programs.run) -> tuple[int, ...] | None:
    """Return the version of the tools on this host; ``None`` where there are none."""
    try:
        answer = _VERSION.search(run(["crm_simulate", "--version"]).out)
    except programs.ToolMissing:
        return None
    return tuple(map(int, answer.groups())) if answer else None
