"""Checks of FreeSWITCH on each node: the switch, its profiles, its gateways."""

from collections.abc import Iterator

from fshalib.agents import FSSOFIA, is_fssofia_script, plain
from fshalib.checks.checks_nodes import SHORT_UPTIME
from fshalib.checks.collect import View, parse_time
from fshalib.checks.line import FAIL, PASS, WARN, Line
from fshalib.cib import objects, read
from fshalib.switchover import unplanned

GOOD_GATEWAYS = frozenset({"REGED", "NOREG"})


def switches(view: View) -> Iterator[Line]:
    """FreeSWITCH runs on each node, with the profiles that its role asks for."""
    for node, facts in sorted(view.facts.items()):
        if facts is None:
            continue
        switch = facts["switch"]
        if not switch.get("running") and _is_off_by_design(view, node):
            word = "off: the cluster starts it together with the service"
            yield Line("switch", "Switch", PASS, word, node=node)
            continue
        if not switch.get("running"):
            yield Line(
                "switch",
                "Switch",
                FAIL,
                switch.get("why", "it does not run"),
                "start it: without a switch the service can't move there",
                node,
                blocks=node in view.peers and view.is_fresh(node),
            )
            continue
        bad = []
        if not switch.get("ready"):
            bad.append("it is not ready")
        if switch.get("paused"):
            bad.append("it refuses new calls")
        uptime = switch.get("uptime")
        if uptime is not None and uptime < SHORT_UPTIME:
            bad.append(f"it started only {uptime} s ago")
        yield Line(
            "switch",
            "Switch",
            WARN if bad else PASS,
            "; ".join(bad) or f"{switch['version']} answers",
            "fsha.undrain lets it take calls" if switch.get("paused") else "",
            node,
        )


def strays(view: View) -> Iterator[Line]:
    """In cold standby a profile runs only where the cluster has it started."""
    wanted = _cold_profiles(view)
    if not wanted:
        return
    known = {n: s for n, s in sorted(view.switches().items()) if _is_of_now(view, n)}
    stray = {
        node: [p for p in switch.get("profiles", ()) if p in wanted and node not in wanted[p]]
        for node, switch in known.items()
    }
    for node, names in stray.items():
        if names:
            stop = "; ".join(f"fs_cli -x 'sofia profile {name} stop'" for name in names)
            yield Line(
                "stray",
                "Profiles",
                WARN,
                f"{' and '.join(names)} runs here, where the cluster has not started it",
                f"it may take calls and registers its gateways a second time: run {stop}",
                node,
            )
    if known and not any(stray.values()):
        said = f"{' and '.join(sorted(wanted))}: only where the cluster has started it"
        yield Line("stray", "Profiles", PASS, said)


def _cold_profiles(view: View) -> dict[str, tuple[str, ...]]:
    """Return each profile that is stopped on a standby, and where the cluster has it started."""
    cold: dict[str, tuple[str, ...]] = {}
    for primitive in objects.primitives(read.read_all(view.root)):
        if plain(primitive.agent) != FSSOFIA and not is_fssofia_script(primitive.agent):
            continue
        parameters = dict(primitive.values("params"))
        if parameters.get("standby", "cold") != "cold":
            continue
        names = parameters.get("profiles", "").split() or _served(view)
        cold |= dict.fromkeys(names, view.status.active(primitive.id))
    return cold


def _served(view: View) -> list[str]:
    """Return the profiles that an agent has started: the init script's are not in the CIB."""
    return [name for switch in view.switches().values() for name in switch.get("serves", ())]


def _is_of_now(view: View, node: str) -> bool:
    """Tell whether a node's facts are no older than the last move of the service."""
    facts = view.facts.get(node)
    if facts is None or not view.is_fresh(node):
        return False
    if node == view.me or not view.service or not view.active:
        return True
    moved = unplanned.started(view.root, view.service, view.active)
    return parse_time(facts["at"]).timestamp() > moved


def _is_off_by_design(view: View, node: str) -> bool:
    """Tell whether FreeSWITCH itself is part of the service, which does not run on a node."""
    service = view.service
    return bool(
        service and service.starts_switch and node not in view.status.active(*service.members)
    )


def gateways(view: View) -> Iterator[Line]:
    """The gateways are registered."""
    switch = view.switches().get(view.active)
    if not switch or not switch.get("gateways"):
        return
    down = [
        f"{name} ({state or 'unknown'})"
        for name, state in switch["gateways"].items()
        if state not in GOOD_GATEWAYS
    ]
    yield Line(
        "gateways",
        "Gateways",
        WARN if down else PASS,
        f"not registered: {', '.join(down)}"
        if down
        else f"all {len(switch['gateways'])} are registered",
        "ask the carrier; freeswitch.gateways has more" if down else "",
        view.active,
    )
