"""Rules for the pillar about FSSofia and what the switch is told: what several keys say together.

The agent refuses the same things on a node; here they are told before anything is touched.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.agents import FSSOFIA, FSSOFIA_SCRIPT, held_address, is_fssofia_script
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object
from fshalib.cib.ties import ties
from fshalib.cib.values import TRUE_WORDS, parse_duration
from fshalib.pillar import agent_uses, own_agents, validate_own_agents
from fshalib.pillar.agent_uses import Case, Use
from fshalib.pillar.validate_objects import agent_of
from fshalib.schema.report import Keys, Location, printable, quoted

DRAIN_TIME, DRAIN_REST = 60, 20
"""The agent's default seconds for calls to end, and what it needs of a stop beside them."""

Data = Mapping[str, Any]


def check(data: Data, at: Location) -> None:
    """Report contradictions between the agents of a checked pillar, the network and the VIPs.

    data
        The checked pillar.
    """
    pacemaker = data.get("pacemaker", {})
    uses = [*agent_uses.resources(pacemaker)]
    validate_own_agents.check(pacemaker, uses, [*agent_uses.templates(pacemaker)], at)
    nonlocal_bind = data.get("network", {}).get("nonlocal_bind")
    default = str(pacemaker.get("op_defaults", NO_SETS).plain_values().get("timeout", "20s"))
    agents = [use for use in uses if use.agent == FSSOFIA]
    for use in agents:
        _standby(use, nonlocal_bind, at)
        for case in use.cases:
            _ipv6(case, _vips(pacemaker, use.id, case), use, at)
            _drain(use, case, default, at)
    claims = [*_claims(data, uses)]
    _one_owner(claims, at)
    _configured(data, claims, at.below("freeswitch", "configuration"))


# --- hot and cold -----------------------------------------------------------------------------


def _text(case: Case, name: str, default: str = "") -> str:
    """Return the value of a parameter; the agent takes an empty one for none."""
    return (case[name].value if name in case else "") or default


def _place(case: Case, name: str, use: Use, at: Location) -> Location:
    """Return where a parameter stands, or would stand."""
    return at.below(*(case[name].keys if name in case else (*use.keys, "params", name)))


def _standby(use: Use, nonlocal_bind: object, at: Location) -> None:
    for case in use.cases:
        # Where a rule decides, what holds without it says nothing.
        if "standby" not in case and "standby" in use.ruled:
            continue
        hot = _text(case, "standby", "cold") == "hot"
        if hot and nonlocal_bind is False:
            _place(case, "standby", use, at).error(
                "a hot standby binds the floating address that it does not hold; "
                "fsha:network:nonlocal_bind: true is expected with it."
            )
        if not hot and nonlocal_bind is True:
            _place(case, "standby", use, at).error(
                "with fsha:network:nonlocal_bind: true the profiles run on both nodes, and on the "
                "standby they would answer, register gateways and expire registrations unless "
                "they are in standby; standby: hot is expected, or nonlocal_bind: false."
            )


def _ipv6(case: Case, vips: list[str], use: Use, at: Location) -> None:
    guarded = _text(case, "ipv6_guard", "false").lower() in TRUE_WORDS
    if _text(case, "standby") != "hot" or guarded:
        return
    for vip in vips:
        if ipaddress.ip_address(vip).version == 6:
            _place(case, "standby", use, at).error(
                f"a hot standby can send from the IPv6 address {vip} that it does not hold; filter "
                "that and set ipv6_guard: true, or give standby: cold."
            )


def _vips(pacemaker: Data, id: str, case: Case) -> list[str]:
    """Return the floating addresses: those of the parameter, else what is tied to a resource."""
    vips = own_agents.words(_text(case, "vips"))
    near = frozenset() if vips else ties(_objects(pacemaker), through_clones=True).beside([id])
    vips += [
        held_address(agent_of(pacemaker, item), item.get("params", NO_SETS).plain_values())
        for name, item in pacemaker.get("resources", {}).items()
        if name in near
    ]
    return [text for text in vips if _is_address(text)]


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


def _drain(use: Use, case: Case, default: str, at: Location) -> None:
    drain_time = _text(case, "drain_time", str(DRAIN_TIME))
    if _text(case, "stop_mode") != "drain" or not drain_time.isdecimal():
        return
    needed = int(drain_time) + DRAIN_REST
    stops = [(keys, one) for keys, one in use.operations if one.get("name") == "stop"]
    for keys, operation in stops:
        timeout = operation.get("timeout", default)
        if parse_duration(timeout) < needed * 1000:
            at.below(*keys, "timeout").error(f"{_drains(needed)}, not {printable(str(timeout))}.")
    # What is said elsewhere is not known here.
    elsewhere = any("id-ref" in one for _, one in use.operations)
    if not stops and not elsewhere and parse_duration(default) < needed * 1000:
        at.below(*use.keys, "operations").error(
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
    """A resource that starts and stops profiles, and where each of their names stands."""

    use: Use
    profiles: Mapping[str, Keys]
    vips: tuple[str, ...]

    @property
    def id(self) -> str:
        """The resource's id."""
        return self.use.id

    @property
    def standby(self) -> str:
        """What its profiles do on the other node, when no rule says otherwise."""
        return _text(self.use.cases[0], "standby", "cold")


def _claims(data: Data, uses: list[Use]) -> Iterator[_Claim]:
    freeswitch = data.get("freeswitch", {})
    pacemaker = data.get("pacemaker", {})
    for use in uses:
        vips = _vips(pacemaker, use.id, use.cases[0])
        if use.agent == FSSOFIA:
            yield _Claim(use, _profiles(use), tuple(vips))
        elif is_fssofia_script(use.agent):
            names = freeswitch.get("profiles", ("internal",))
            keys = (*use.keys, "agent")
            told = tuple(freeswitch.get("vips") or vips)
            yield _Claim(use, dict.fromkeys(names, keys), told)


def _profiles(use: Use) -> dict[str, Keys]:
    given = [case["profiles"] for case in use.cases if "profiles" in case]
    return {name: one.keys for one in reversed(given) for name in own_agents.words(one.value)}


def _one_owner(claims: list[_Claim], at: Location) -> None:
    taken: dict[str, str] = {}
    # The formula's own agent first: it names its profiles itself.
    for claim in sorted(claims, key=lambda one: one.use.agent != FSSOFIA):
        for profile, keys in claim.profiles.items():
            other = taken.setdefault(profile, claim.id)
            if other != claim.id:
                hint = " (fsha:freeswitch:profiles)" if claim.use.agent == FSSOFIA_SCRIPT else ""
                at.below(*keys).error(
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
            _is_a_vip(profile.get("vip"), owners[name], here.below("vip"))


def _one_source(told: Data, key: str, at: Location) -> None:
    if key in told and f"{key}_file" in told:
        at.below(f"{key}_file").error(f"{key} or {key}_file is expected, not both.")


def _as_the_agent(profile: Data, owner: _Claim, at: Location) -> None:
    standby = profile.get("standby")
    if owner.use.agent == FSSOFIA_SCRIPT and standby == "hot":
        at.error(
            f"cold is expected, for {printable(owner.id)} is {FSSOFIA_SCRIPT}, which never takes a "
            f"profile out of standby; use {FSSOFIA} with standby: hot."
        )
    elif owner.use.agent == FSSOFIA and standby not in (None, owner.standby):
        expected = owner.standby
        why = "the standby would answer" if standby == "cold" else "the profile would never serve"
        at.error(f"{expected} is expected, as {printable(owner.id)} has it; else {why}.")


def _is_a_vip(told: str | None, owner: _Claim, at: Location) -> None:
    if told is None or not owner.vips:
        return
    known = {ipaddress.ip_address(vip) for vip in owner.vips if _is_address(vip)}
    if ipaddress.ip_address(told) not in known:
        vips = ", ".join(owner.vips)
        at.error(
            f"a floating address of {printable(owner.id)} is expected ({vips}), not "
            f"{quoted(told)}: what is sent to it would not follow the service."
        )
