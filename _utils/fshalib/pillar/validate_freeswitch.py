"""Rules for the pillar about FSSofia and what the switch is told: what several keys say together.

The agent refuses the same things on a node; here they are told before anything is touched.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.agents import FSSOFIA, FSSOFIA_SCRIPT, is_fssofia_script, is_vip
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object
from fshalib.cib.ties import ties
from fshalib.cib.values import parse_boolean, parse_duration
from fshalib.schema.report import Location, printable, quoted

DRAIN_TIME, DRAIN_REST = 60, 20
"""The agent's default seconds for calls to end, and what it needs of a stop beside them."""

Data = Mapping[str, Any]


def check(data: Data, at: Location) -> None:
    """Report contradictions between the agents of a checked pillar, the network and the VIPs.

    data
        The checked pillar.
    """
    pacemaker = data.get("pacemaker", {})
    nonlocal_bind = data.get("network", {}).get("nonlocal_bind")
    where = at.below("pacemaker", "resources")
    agents = list(_agents(pacemaker))
    default = str(pacemaker.get("op_defaults", NO_SETS).plain_values().get("timeout", "20s"))
    for id, item, params in agents:
        here = where.below(id)
        _standby(params, nonlocal_bind, here)
        _ipv6(params, _vips(pacemaker, id, params), here)
        _drain(item, params, default, here)
    claims = [*_claims(data, agents)]
    _one_owner(claims, where)
    _configured(data, claims, at.below("freeswitch", "configuration"))


def _agents(pacemaker: Data) -> Iterator[tuple[str, Data, Data]]:
    for id, item in pacemaker.get("resources", {}).items():
        if item.get("agent") == FSSOFIA:
            yield id, item, item.get("params", NO_SETS).plain_values()


def _standby(params: Data, nonlocal_bind: object, at: Location) -> None:
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


def _ipv6(params: Data, vips: list[str], at: Location) -> None:
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
    """Return the floating addresses: those of the parameter, else what is tied to a resource."""
    told = str(params.get("vips", "")).split()
    near = frozenset() if told else ties(_objects(pacemaker), through_clones=True).beside([id])
    told += [
        str(item.get("params", NO_SETS).plain_values().get("ip", ""))
        for name, item in pacemaker.get("resources", {}).items()
        if name in near and is_vip(item.get("agent", ""))
    ]
    return [text for text in told if _is_address(text)]


def _objects(pacemaker: Data) -> Iterator[Object]:
    """Yield what ties resources, as objects."""
    for name in ("primitive", "group", "clone", "bundle", "template", "colocation", "tag"):
        for id, spec in pacemaker.get(KINDS[name].key, {}).items():
            yield Object(name, id, spec)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _drain(item: Data, params: Data, default: str, at: Location) -> None:
    if params.get("stop_mode") != "drain" or not str(params.get("drain_time", "0")).isdecimal():
        return
    needed = int(params.get("drain_time", DRAIN_TIME)) + DRAIN_REST
    told = item.get("operations", ())
    stops = [(n, one) for n, one in enumerate(told) if one.get("name") == "stop"]
    for number, operation in stops:
        timeout = operation.get("timeout", default)
        if parse_duration(timeout) < needed * 1000:
            at.below("operations", number, "timeout").error(
                f"{_drains(needed)}, not {printable(str(timeout))}."
            )
    # What is said elsewhere is not known here.
    elsewhere = any("id-ref" in one for one in told)
    if not stops and not elsewhere and parse_duration(default) < needed * 1000:
        at.below("operations").error(
            f"{_drains(needed)}; without an operation stop it has {printable(default)}."
        )


def _drains(needed: int) -> str:
    return (
        f"a stop that waits {needed - DRAIN_REST} s for calls to end (drain_time) needs a timeout "
        f"of {needed}s at least"
    )


# --- which resource has which profile --------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    """A resource that starts and stops profiles; ``key`` is what names them."""

    id: str
    agent: str
    key: tuple[str, ...]
    params: Data
    profiles: tuple[str, ...]


def _claims(data: Data, agents: list[tuple[str, Data, Data]]) -> Iterator[_Claim]:
    for id, _, params in agents:
        names = tuple(str(params.get("profiles", "")).split())
        yield _Claim(id, FSSOFIA, ("params", "profiles"), params, names)
    profiles = tuple(data.get("freeswitch", {}).get("profiles", ("internal",)))
    for id, item in data.get("pacemaker", {}).get("resources", {}).items():
        if is_fssofia_script(item.get("agent", "")):
            yield _Claim(id, FSSOFIA_SCRIPT, ("agent",), {}, profiles)


def _one_owner(claims: list[_Claim], at: Location) -> None:
    taken: dict[str, str] = {}
    for claim in claims:
        for profile in claim.profiles:
            other = taken.setdefault(profile, claim.id)
            if other != claim.id:
                hint = " (fsha:freeswitch:profiles)" if claim.agent == FSSOFIA_SCRIPT else ""
                at.below(claim.id, *claim.key).error(
                    f"profiles of its own are expected, {quoted(profile)}{hint} is that of "
                    f"{printable(other)} already."
                )


# --- what the switch is told -----------------------------------------------------------------


def _configured(data: Data, claims: list[_Claim], at: Location) -> None:
    told = data.get("freeswitch", {}).get("configuration") or {}
    _one_source(told, "core_db_dsn", at)
    owners = {profile: claim for claim in claims for profile in claim.profiles}
    for name, profile in told.get("profiles", {}).items():
        here = at.below("profiles", name)
        _one_source(profile, "odbc_dsn", here)
        if name in owners:
            _as_the_agent(profile, owners[name], here.below("standby"))
            vips = _all_vips(data, owners[name])
            _is_a_vip(profile.get("vip"), vips, owners[name], here.below("vip"))


def _one_source(told: Data, key: str, at: Location) -> None:
    if key in told and f"{key}_file" in told:
        at.below(f"{key}_file").error(f"{key} or {key}_file is expected, not both.")


def _as_the_agent(profile: Data, owner: _Claim, at: Location) -> None:
    standby = profile.get("standby")
    if owner.agent == FSSOFIA_SCRIPT and standby == "hot":
        at.error(
            f"cold is expected, for {printable(owner.id)} is {FSSOFIA_SCRIPT}, which never takes a "
            f"profile out of standby; use {FSSOFIA} with standby: hot."
        )
    elif owner.agent == FSSOFIA and standby not in (None, owner.params.get("standby", "cold")):
        expected = owner.params.get("standby", "cold")
        why = "the standby would answer" if standby == "cold" else "the profile would never serve"
        at.error(f"{expected} is expected, as {printable(owner.id)} has it; else {why}.")


def _all_vips(data: Data, owner: _Claim) -> list[str]:
    if owner.agent == FSSOFIA_SCRIPT and data.get("freeswitch", {}).get("vips"):
        return list(data["freeswitch"]["vips"])
    return _vips(data.get("pacemaker", {}), owner.id, owner.params)


def _is_a_vip(told: str | None, vips: list[str], owner: _Claim, at: Location) -> None:
    if told is None or not vips:
        return
    known = {ipaddress.ip_address(vip) for vip in vips if _is_address(vip)}
    if ipaddress.ip_address(told) not in known:
        at.error(
            f"a floating address of {printable(owner.id)} is expected ({', '.join(vips)}), not "
            f"{quoted(told)}: what is sent to it would not follow the service."
        )
