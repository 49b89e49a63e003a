"""The whole story in a few minutes: bare nodes, a serving pair, a drift, a switchover.

    python -m lab.demo

Leaves the lab up to look around in.
"""

from __future__ import annotations

import sys

from lab import VIP, Lab, LabError, Node, voice
from lab.voice import Applied

NETMASK = "ip_shared-instance_attributes-cidr_netmask"
CHANGE = f'<nvpair id="{NETMASK}" name="cidr_netmask" value="25"/>'


def main() -> int:
    """Run the demonstration; return the exit code of a program."""
    lab = Lab()
    try:
        lab.up()
        _bare(lab)
        _build(lab)
        _show_status(lab)
        _drift(lab)
        _switch_over(lab)
    except LabError as error:
        print(f"\nThe demonstration ended early: {error}", file=sys.stderr)
        if lab.setup() is not None:
            print(_farewell(lab), file=sys.stderr)
        return 1
    print(_farewell(lab))
    return 0


def _say(lab: Lab, text: str) -> None:
    lab.progress("demo", text)


def _bare(lab: Lab) -> None:
    if any(node.unit_state("corosync") == "active" for node in lab.nodes.values()):
        _say(lab, "the nodes are in use already: making them bare again")
        lab.reset()
    voice.give(lab, voice.example("pillar.example"))


def _build(lab: Lab) -> None:
    _say(lab, "salt '*' state.apply fsha: two bare hosts become a pair")
    applied = _applied(voice.apply(lab))
    _say(lab, f"done in {applied.seconds:.0f} s, {len(applied.changes)} states changed something")
    again = _applied(voice.apply(lab))
    _say(lab, f"again, {again.seconds:.0f} s, {len(again.changes)} states changed something")


def _applied(applied: Applied) -> Applied:
    if applied.failed:
        raise LabError("state.apply fsha failed:\n  " + "\n  ".join(applied.failed))
    return applied


def _show_status(lab: Lab) -> None:
    _say(lab, "salt-call fsha.status")
    print("\n" + str(lab.salt_call(_active(lab), "fsha.status").value) + "\n")


def _active(lab: Lab) -> Node:
    name = voice.serving(lab)
    if not name:
        raise LabError("VoiceServices does not serve anywhere.")
    return lab.nodes[name]


def _drift(lab: Lab) -> None:
    node = _active(lab)
    _say(lab, f"somebody changes ip_shared by hand on {node.name}: cidr_netmask 25")
    node.run(["cibadmin", "--modify", "--scope", "resources", "--xml-text", CHANGE])
    node.run(["crm_resource", "--wait", "--timeout=60s"], timeout=90)
    with lab.events("fsha/") as bus:
        seen = _applied(voice.apply(lab, test=True))
    _say(lab, "salt '*' state.apply fsha test=True says:")
    print("\n" + str(seen.state(node.name, "fsha-cluster-committed")["comment"]) + "\n")
    for tag, _data in bus.events:
        _say(lab, f"event on the master's bus: {tag}")
    done = _applied(voice.apply(lab))
    corrected = [key for key in done.changes if key.endswith("fsha-cluster-committed")]
    _say(lab, f"corrected by {corrected[0].split()[0]}" if corrected else "nothing to correct")


def _switch_over(lab: Lab) -> None:
    node = _active(lab)
    _say(lab, f"salt-call fsha.failover on {node.name}, while a probe asks {VIP} from outside")
    with lab.probe() as probe:
        probe.wait_answered_by(node.name)
        done = lab.salt_call(node, "fsha.failover", timeout=180)
        if done.value["result"]:
            probe.wait_answered_by(done.value["new"])
    _say(lab, done.value["comment"])
    gap = probe.result.longest
    seconds = gap.seconds if gap else 0.0
    _say(lab, f"no call was taken on the VIP for {seconds:.2f} s, seen from outside")
    _show_status(lab)


def _farewell(lab: Lab) -> str:
    named = "" if lab.name == "fsha" else f" --lab {lab.name}"
    call = f"{sys.executable} -m lab{named}"
    return (
        f"The lab is up. Look around:   {call} status\n"
        f"                              {call} exec freeswitch-dev salt-call fsha.status\n"
        f"                              {call} shell freeswitch-dev\n"
        f"Remove it:                    {call} down"
    )


if __name__ == "__main__":
    sys.exit(main())
