"""Rules for the pillar about ocf:fsha:FSSofia: what several keys say together.

The agent refuses the same things on a node; here they are told before anything is touched.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from fsha_model import plain_values
from fsha_schema import At, printable, quoted
from fsha_units import parse_boolean, parse_duration

FSSOFIA = "ocf:fsha:FSSofia"
IPADDR2 = "ocf:heartbeat:IPaddr2"
DRAIN_TIME, DRAIN_REST = 60, 20
"""The agent's default seconds for calls to end, and what it needs of a stop beside them."""

Data = Mapping[str, Any]


def check(data: Data, at: At) -> None:
    """Report contradictions between the agents of a checked pillar, the network and the VIPs.

    data
        The checked pillar.
    """
    pacemaker = data.get("pacemaker", {})
    nonlocal_bind = data.get("network", {}).get("nonlocal_bind")
    where = at.below("pacemaker", "resources")
    agents = list(_agents(pacemaker))
    for id, item, params in agents:
        here = where.below(id)
        _standby(params, nonlocal_bind, here)
        _ipv6(params, _vips(pacemaker, id, params), here)
        _drain(item, params, here)
    _one_owner(agents, where)


def _agents(pacemaker: Data) -> Iterator[tuple[str, Data, Data]]:
    for id, item in pacemaker.get("resources", {}).items():
        if item.get("agent") == FSSOFIA:
            yield id, item, plain_values(item.get("params", {}))


def _standby(params: Data, nonlocal_bind: object, at: At) -> None:
    hot = params.get("standby", "cold") == "hot"
    if hot and nonlocal_bind is False:
        at.below("params", "standby").error(
            "a hot standby binds the floating address that it does not hold; "
            "fsha:network:nonlocal_bind: true is expected with it."
        )
    if not hot and nonlocal_bind is True:
        at.below("params", "standby").error(
            "with fsha:network:nonlocal_bind: true the profiles run on both nodes, and on the "
            "standby they would answer, register gateways and expire registrations unless they "
            "are in standby; standby: hot is expected, or nonlocal_bind: false."
        )


def _ipv6(params: Data, vips: list[str], at: At) -> None:
    guarded = parse_boolean(str(params.get("ipv6_guard", "false")))
    if params.get("standby") != "hot" or guarded:
        return
    for vip in vips:
        if ipaddress.ip_address(vip).version == 6:
            at.below("params", "standby").error(
                f"a hot standby can send from the IPv6 address {vip} that it does not hold; filter "
                "that and set ipv6_guard: true, or give standby: cold."
            )


def _vips(pacemaker: Data, id: str, params: Data) -> list[str]:
    """Return the floating addresses: those of the parameter, else of the group."""
    told = str(params.get("vips", "")).split()
    for group in pacemaker.get("groups", {}).values():
        if not told and id in group.get("members", ()):
            members = (pacemaker.get("resources", {}).get(m, {}) for m in group["members"])
            told = [
                str(plain_values(m.get("params", {})).get("ip", ""))
                for m in members
                if m.get("agent") == IPADDR2
            ]
    return [text for text in told if _is_address(text)]


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _drain(item: Data, params: Data, at: At) -> None:
    if params.get("stop_mode") != "drain" or not str(params.get("drain_time", "0")).isdecimal():
        return
    needed = int(params.get("drain_time", DRAIN_TIME)) + DRAIN_REST
    for number, operation in enumerate(item.get("operations", ())):
        timeout = operation.get("timeout")
        if operation.get("name") == "stop" and timeout and parse_duration(timeout) < needed * 1000:
            at.below("operations", number, "timeout").error(
                f"a stop that waits {needed - DRAIN_REST} s for calls to end (drain_time) needs a "
                f"timeout of {needed}s at least, not {printable(str(timeout))}."
            )


def _one_owner(agents: list[tuple[str, Data, Data]], at: At) -> None:
    taken: dict[str, str] = {}
    for id, _, params in agents:
        for profile in str(params.get("profiles", "")).split():
            other = taken.setdefault(profile, id)
            if other != id:
                at.below(id, "params", "profiles").error(
                    f"profiles of its own are expected, {quoted(profile)} is that of "
                    f"{printable(other)} already."
                )
