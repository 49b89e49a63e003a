"""What a change may interrupt: voice resources, the window, and each verdict's words."""

import json
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fshalib.change import guard, guarding, restore_points
from fshalib.change.guard import Calls, Verdict, judge, legs
from fshalib.change.interruption import Interruption, interrupted, voice_resources
from fshalib.cib import document
from fshalib.freeswitch import client
from fshalib.pacemaker import simulate
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker.simulate import Action, Transition
from fshalib.pillar.guard_policy import Policy, PolicyError, Window, parse_time, policy

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
# A Wednesday, 12:00 in Berlin.
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=timezone.utc)
NIGHT = Window(frozenset({5}), 120, 300, BERLIN)
OVERRIDE = """salt MINION state.apply fsha pillar='{"fsha": {"guard": {"override": true}}}'"""


# --- which resources carry calls -----------------------------------------------------------

FS = '<primitive id="fs" class="lsb" type="FSSofia"/>'
VIP = '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>'
ARP = '<primitive id="arp" class="ocf" provider="heartbeat" type="SendArp"/>'
WEB = '<primitive id="web" class="ocf" provider="heartbeat" type="IPaddr2"/>'


def primitive(id, agent):
    *start, type = agent.split(":")
    provider = f'provider="{start[1]}" ' if start[1:] else ""
    return f'<primitive id="{id}" class="{start[0]}" {provider}type="{type}"/>'


def group(id, *members):
    return f'<group id="{id}">{"".join(members)}</group>'


def together(rsc, other, score="INFINITY", id="together"):
    score = "" if score is None else f'score="{score}"'
    return f'<rsc_colocation id="{id}" rsc="{rsc}" with-rsc="{other}" {score}/>'


def sets(*sets, score="INFINITY"):
    inner = "".join(
        f'<resource_set id="set-{n}" {attributes}>'
        + "".join(f'<resource_ref id="{id}"/>' for id in ids)
        + "</resource_set>"
        for n, (attributes, *ids) in enumerate(sets)
    )
    return f'<rsc_colocation id="sets" score="{score}">{inner}</rsc_colocation>'


def cib(*resources, constraints="", tags=""):
    return document.parse(
        '<cib admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes/>'
        f"<resources>{''.join(resources)}</resources><constraints>{constraints}</constraints>"
        f"<tags>{tags}</tags></configuration><status/></cib>"
    )


def test_the_pair_of_the_sample(sample):
    assert voice_resources(document.parse(sample("pair.xml"))) == {"ip_shared", "fs"}


@pytest.mark.parametrize(
    "agent",
    [
        "lsb:FSSofia",
        "ocf:fsha:FSSofia",
        "systemd:freeswitch",
        "systemd:freeswitch.service",
        "service:freeswitch",
        "lsb:freeswitch",
        "ocf:heartbeat:freeswitch",
        "ocf:anybody:freeswitch",
    ],
)
def test_all_forms_of_freeswitch(agent):
    assert voice_resources(cib(primitive("x", agent))) == {"x"}


def test_freeswitchs_service_may_have_another_name():
    root = cib(primitive("x", "systemd:voice.service"), VIP, constraints=together("vip", "x"))
    assert voice_resources(root) == frozenset()
    assert voice_resources(root, "voice") == {"x", "vip"}
    guard_of_pillar = guarding.guard(
        {}, {"fsha": {"freeswitch": {"service": "voice"}}}, override=False
    )
    assert guard_of_pillar.service == "voice"
    assert guarding.guard({}, {}, override=False).service == "freeswitch"


@pytest.mark.parametrize(
    "agent",
    ["ocf:heartbeat:SendArp", "stonith:fence_ipmilan", "systemd:opensips", "ocf:pacemaker:Dummy"],
)
def test_others_beside_freeswitch_do_not_count(agent):
    assert voice_resources(cib(group("g", primitive("x", agent), FS))) == {"fs"}


@pytest.mark.parametrize("type", ["IPaddr2", "IPaddr", "IPv6addr"])
def test_the_addresses_of_freeswitchs_group(type):
    vip = primitive("x", f"ocf:heartbeat:{type}")
    assert voice_resources(cib(group("g", vip, FS), WEB)) == {"x", "fs"}


def test_addresses_without_freeswitch_do_not_count():
    assert voice_resources(cib(group("g", VIP, ARP), WEB)) == frozenset()
    assert voice_resources(cib()) == frozenset()


def test_a_group_in_a_clone():
    root = cib(f'<clone id="c">{group("g", VIP, FS)}</clone>', WEB)
    assert voice_resources(root) == {"vip", "fs"}


def test_an_agent_that_stands_in_a_template():
    root = cib(
        '<template id="t" class="lsb" type="FSSofia"/>',
        group("g", '<primitive id="fs" template="t"/>', VIP),
    )
    assert voice_resources(root) == {"vip", "fs"}


@pytest.mark.parametrize("score", ["INFINITY", "+INFINITY", "inf", "+inf", "1000000", "2000000"])
@pytest.mark.parametrize("ends", [("vip", "fs"), ("fs", "vip")])
def test_a_mandatory_colocation_in_any_spelling_and_direction(score, ends):
    root = cib(VIP, FS, WEB, constraints=together(*ends, score))
    assert voice_resources(root) == {"vip", "fs"}


@pytest.mark.parametrize("score", ["-INFINITY", "500", "999999", "0", "", "much", None])
def test_other_colocations_tie_nothing(score):
    root = cib(VIP, FS, constraints=together("vip", "fs", score))
    assert voice_resources(root) == {"fs"}


def test_groups_are_tied_as_a_whole():
    root = cib(
        group("addresses", VIP, ARP), group("switch", FS), constraints=together("arp", "switch")
    )
    assert voice_resources(root) == {"vip", "fs"}


def test_ties_reach_through_what_carries_no_calls_itself():
    root = cib(
        VIP,
        primitive("check", "ocf:pacemaker:Dummy"),
        f'<clone id="c">{FS}</clone>',
        constraints=together("vip", "check") + together("check", "c", id="more"),
    )
    assert voice_resources(root) == {"vip", "fs"}


def test_a_colocation_with_nobody_ties_nothing():
    root = cib(
        '<template id="t" class="ocf" provider="heartbeat" type="IPaddr2"/>',
        '<primitive id="web" template="t"/>',
        FS,
        VIP,
        constraints='<rsc_colocation id="half" rsc="fs" score="INFINITY"/>'
        + together("gone", "vip"),
    )
    assert voice_resources(root) == {"fs"}


def test_what_stands_for_several_resources_ties_them_all():
    tag = '<tag id="addresses"><obj_ref id="vip"/><obj_ref id="web"/></tag>'
    assert voice_resources(
        cib(VIP, WEB, FS, constraints=together("addresses", "fs"), tags=tag)
    ) == {"vip", "web", "fs"}
    template = '<template id="t" class="ocf" provider="heartbeat" type="IPaddr2"/>'
    one, two = '<primitive id="a" template="t"/>', '<primitive id="b" template="t"/>'
    root = cib(template, one, group("g", two), FS, constraints=together("t", "fs"))
    assert voice_resources(root) == {"a", "b", "fs"}


@pytest.mark.parametrize(
    ("constraint", "found"),
    [
        (sets(("", "fs", "vip", "web")), {"fs", "vip", "web"}),
        (sets(('sequential="true"', "fs", "vip")), {"fs", "vip"}),
        (sets(('sequential="false"', "fs", "vip")), {"fs"}),
        (sets(('sequential="NO"', "vip", "web"), ("", "fs")), {"fs", "vip", "web"}),
        (sets(("", "vip"), ("", "arp"), ("", "fs")), {"fs", "vip"}),
        (sets(("", "fs", "vip"), score="100"), {"fs"}),
        (sets(('score="INFINITY"', "fs", "vip"), ("", "web"), score="100"), {"fs", "vip"}),
        (sets(('score="100"', "fs", "vip"), ("", "web")), {"fs", "web"}),
        (sets(('score="100"', "fs", "vip")), {"fs"}),
        (sets(("", "fs"), ("", "vip"), score="-INFINITY"), {"fs"}),
    ],
)
def test_sets_of_a_colocation(constraint, found):
    assert voice_resources(cib(FS, VIP, WEB, ARP, constraints=constraint)) == found


# --- what is interrupted -------------------------------------------------------------------

VOICE = frozenset({"ip_shared", "fs"})


def of(*actions):
    return Transition(actions, {})


def test_a_move_interrupts_where_it_leaves(sample):
    transition = simulate.parse_transition(sample("transition-move.xml"))
    status = pacemaker_status.parse_status(sample("status-serving.xml"))
    assert interrupted(transition, VOICE, status) == (
        Interruption("ip_shared", ("fs1",), "move"),
        Interruption("fs", ("fs1",), "move"),
    )


def test_a_restart_with_a_plain_mapping(sample):
    transition = simulate.parse_transition(sample("transition-restart.xml"))
    assert interrupted(transition, VOICE, {"fs": ["fs1"], "ip_shared": []}) == (
        Interruption("fs", ("fs1",), "restart"),
    )


@pytest.mark.parametrize("word", ["stop", "restart", "recover", "move", "demote", "re-promote"])
def test_what_interrupts(word):
    found = interrupted(of(Action(word, "fs", "fs1")), VOICE, {"fs": ("fs1",)})
    assert found == (Interruption("fs", ("fs1",), word),)


@pytest.mark.parametrize("word", ["start", "reload", "promote", "migrate"])
def test_what_does_not(word):
    assert interrupted(of(Action(word, "fs", "fs1")), VOICE, {"fs": ("fs1",)}) == ()


def test_neither_other_resources_nor_blocked_actions_nor_what_runs_nowhere():
    actions = of(
        Action("move", "arp", "fs2", "fs1"),
        Action("stop", "fs", "fs1", blocked=True),
        Action("stop", "ip_shared", "fs1"),
    )
    assert interrupted(actions, VOICE, {"arp": ("fs1",), "fs": ("fs1",)}) == ()


def test_a_voice_member_that_moves_along_counts():
    actions = of(Action("move", "arp", "fs2", "fs1"), Action("move", "fs", "fs2", "fs1"))
    assert [i.resource for i in interrupted(actions, VOICE, {"fs": ("fs1",)})] == ["fs"]


def test_instances_of_a_clone_count_for_their_own_node():
    running = {"fs:0": ("fs1",), "fs:1": ("fs2",)}
    one = of(Action("restart", "fs:1", "fs2", "fs2"))
    assert interrupted(one, VOICE, running) == (Interruption("fs", ("fs2",), "restart"),)
    both = of(Action("restart", "fs:1", "fs2"), Action("restart", "fs:0", "fs1"))
    assert interrupted(both, VOICE, running) == (Interruption("fs", ("fs2", "fs1"), "restart"),)


def test_an_instance_on_a_node_that_is_not_its_own_counts_everywhere():
    action = of(Action("stop", "fs:1", "fs3"))
    assert interrupted(action, VOICE, {"fs": ("fs1", "fs2")})[0].nodes == ("fs1", "fs2")


def test_instances_in_the_status_are_one_resource():
    parts = (
        pacemaker_status.Resource("fs", "lsb:FSSofia", "Started", ("fs1",), "g:0"),
        pacemaker_status.Resource("fs", "lsb:FSSofia", "Started", ("fs2",), "g:1"),
    )
    status = pacemaker_status.Status("fs1", True, resources=parts)
    # It is no clone's instance: where it is active twice it stops twice.
    assert interrupted(of(Action("stop", "fs", "fs1")), VOICE, status)[0].nodes == ("fs1", "fs2")
    assert interrupted(of(Action("stop", "fs:1", "fs2")), VOICE, status)[0].nodes == ("fs2",)


# --- call legs -----------------------------------------------------------------------------


def test_legs_of_running_profiles():
    assert legs({"internal": 3, "external": 2, "old": None}) == 5
    assert legs({}) == 0
    assert legs({"internal": None}) == 0


def test_legs_of_what_freeswitch_says():
    text = (
        "<profiles><profile><name>internal</name><state>RUNNING (12)</state></profile>"
        "<profile><name>external</name><state>RUNNING (2)</state></profile></profiles>"
    )
    assert legs(client.parse_profiles(text)) == 14


# --- the policy ----------------------------------------------------------------------------


def test_without_a_word_no_call_may_be_interrupted():
    assert policy({}) == Policy(0, False, None, False)


def test_a_policy_with_everything():
    data = {
        "calls": 5,
        "unknown": "allow",
        "override": True,
        "window": {
            "days": ["sat", "sun"],
            "from": "22:00",
            "to": "04:00",
            "timezone": "Europe/Berlin",
        },
    }
    window = Window(frozenset({5, 6}), 22 * 60, 4 * 60, BERLIN)
    assert policy(data) == Policy(5, True, window, True)
    assert policy({"calls": "any", "unknown": "refuse"}) == Policy(None)


def test_a_window_is_all_day_and_every_day_unless_it_says_otherwise():
    assert policy({"window": {}}).window == Window(frozenset(range(7)), 0, 1440, None)
    assert policy({"window": {"days": ["mon"]}}).window == Window(frozenset({0}), 0, 1440, None)
    assert policy({"window": None}).window is None


@pytest.mark.parametrize("word", ["true", 1, "false", None, "yes"])
def test_nothing_but_true_overrides(word):
    assert not policy({"override": word}).override


@pytest.mark.parametrize(
    ("value", "minutes"),
    [("02:00", 120), ("2:05", 125), ("00:00", 0), ("23:59", 1439), ("24:00", 1440), (1320, 1320)],
)
def test_times_of_day(value, minutes):
    assert parse_time(value) == minutes


@pytest.mark.parametrize(
    "value", ["", "2", "24:01", "25:00", "02:60", "2am", "02:00:00", 79200, -1, True, None, 2.5]
)
def test_what_is_no_time_of_day(value):
    with pytest.raises(PolicyError, match="a time of day in quotes"):
        parse_time(value)


@given(st.integers(0, 1440))
def test_every_minute_of_the_day_can_be_written(minutes):
    assert parse_time(f"{minutes // 60:02}:{minutes % 60:02}") == minutes


@pytest.mark.parametrize(
    ("data", "path", "text"),
    [
        (
            {"calls": "few"},
            "fsha:guard:calls",
            'a whole number from 0 on or the word any is expected, not "few".',
        ),
        (
            {"calls": -1},
            "fsha:guard:calls",
            "a whole number from 0 on or the word any is expected, not the number -1.",
        ),
        (
            {"calls": True},
            "fsha:guard:calls",
            "a whole number from 0 on or the word any is expected, not true.",
        ),
        (
            {"calls": None},
            "fsha:guard:calls",
            "a whole number from 0 on or the word any is expected, not nothing (the key has no "
            "value).",
        ),
        (
            {"window": {"from": "2 o'clock"}},
            "fsha:guard:window:from",
            'a time of day in quotes, such as "02:00", is expected, not "2 o\'clock".',
        ),
        (
            {"window": {"to": 79200}},
            "fsha:guard:window:to",
            'a time of day in quotes, such as "02:00", is expected, not the number 79200.',
        ),
        (
            {"window": {"from": "02:00", "to": "02:00"}},
            "fsha:guard:window:to",
            'a time after that of from (a whole day is 00:00 to 24:00) is expected, not "02:00".',
        ),
        (
            {"window": {"from": "24:00", "to": "04:00"}},
            "fsha:guard:window:to",
            'a time after that of from (a whole day is 00:00 to 24:00) is expected, not "04:00".',
        ),
        (
            {"window": {"days": ["mon", "Monday"]}},
            "fsha:guard:window:days",
            'some of mon, tue, wed, thu, fri, sat, sun is expected, not "Monday".',
        ),
        (
            {"window": {"days": []}},
            "fsha:guard:window:days",
            "some of mon, tue, wed, thu, fri, sat, sun is expected, not a list.",
        ),
        (
            {"window": {"days": 5}},
            "fsha:guard:window:days",
            "a list of mon, tue, wed, thu, fri, sat, sun is expected, not the number 5.",
        ),
        # A key that is none must not open the guard.
        (
            {"calls": "any", "windows": {"from": "02:00"}},
            "fsha:guard:windows",
            'one of calls, unknown, window, override is expected, not "windows".',
        ),
        (
            {"window": {"form": "02:00", "to": "04:00"}},
            "fsha:guard:window:form",
            'one of days, from, to, timezone is expected, not "form".',
        ),
        ({"window": "night"}, "fsha:guard:window", 'a mapping is expected, not "night".'),
        (
            {"window": {"timezone": "Europe/Berln"}},
            "fsha:guard:window:timezone",
            "the name of a time zone that this host knows, such as Europe/Berlin, is expected, "
            'not "Europe/Berln".',
        ),
    ],
)
def test_what_a_policy_cannot_be(data, path, text):
    with pytest.raises(PolicyError) as caught:
        policy(data)
    assert caught.value.path == path
    assert str(caught.value) == f"{path}: {text}"


@given(st.text(max_size=20))
@example("")
@example("Europe")
@example("../../etc/passwd")
@example("zone.tab")
@example("a\0b")
@example("x" * 300)
def test_any_time_zone_is_taken_or_named(name):
    try:
        key = policy({"window": {"timezone": name}}).window.zone.key
    except PolicyError as error:
        key = error.value
    assert key == name


# --- the window ----------------------------------------------------------------------------

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Africa/Casablanca", "America/St_Johns", "Pacific/Apia")  # fmt: skip

moments = st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(timezone.utc))


@st.composite
def windows(draw):
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    start = draw(st.integers(0, 1439))
    end = draw(st.integers(0, 1440).filter(lambda end: end != start))
    return Window(days, start, end, ZoneInfo(draw(st.sampled_from(ZONES))))


def wall(window, moment):
    """Return what a clock in the window's zone shows."""
    return moment.astimezone(window.zone).replace(tzinfo=None)


def began(window, moment):
    """Return whether the clock is between a begin of the window and its end."""
    shown = wall(window, moment)
    length = (window.end - window.start) % 1440 or 1440
    midnight = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in (0, 1):
        day = midnight - timedelta(days=back)
        begin = day + window.start * MINUTE
        if day.weekday() in window.days and begin <= shown < begin + length * MINUTE:
            return True
    return False


@given(windows(), moments)
def test_a_moment_is_inside_iff_the_clock_is_between_begin_and_end(window, moment):
    assert window.holds(moment) == began(window, moment)


@given(windows(), moments, st.sampled_from(ZONES))
def test_the_zone_of_the_moment_does_not_matter(window, moment, zone):
    assert window.holds(moment.astimezone(ZoneInfo(zone))) == window.holds(moment)


@given(windows(), moments)
def test_it_opens_later_and_is_open_then(window, moment):
    opens = window.opens(moment)
    assert opens > moment
    assert opens - moment <= timedelta(days=15)
    assert (opens.second, opens.microsecond) == (0, 0)
    assert window.holds(opens)


@given(windows(), moments, st.integers(1))
def test_it_does_not_open_before(window, moment, draw):
    opens = window.opens(moment).astimezone(timezone.utc)
    between = int((opens - moment) / MINUTE)
    assume(between > 0)
    earlier = moment + (draw % between) * MINUTE
    assert not window.holds(earlier) or window.holds(moment)
    assert not window.holds(opens - MINUTE) or opens - MINUTE <= moment


@given(moments, st.sampled_from(ZONES))
def test_all_days_and_all_hours_are_always(moment, zone):
    assert Window(zone=ZoneInfo(zone)).holds(moment)


def at(text, zone=BERLIN, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("2026-11-28 01:59:59", False),
        ("2026-11-28 02:00:00", True),
        ("2026-11-28 04:59:59", True),
        ("2026-11-28 05:00:00", False),
        ("2026-11-27 03:00:00", False),
        ("2026-11-29 03:00:00", False),
    ],
)
def test_the_begin_is_inside_and_the_end_is_not(text, inside):
    assert NIGHT.holds(at(text)) == inside


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("2026-11-27 21:59", False),
        ("2026-11-27 22:00", True),
        ("2026-11-27 23:59", True),
        ("2026-11-28 00:00", True),
        ("2026-11-28 03:59", True),
        ("2026-11-28 04:00", False),
        # It began on Friday: neither Thursday's night nor Saturday's is in it.
        ("2026-11-27 03:00", False),
        ("2026-11-28 22:00", False),
    ],
)
def test_past_midnight_it_belongs_to_the_day_on_which_it_began(text, inside):
    assert Window(frozenset({4}), 22 * 60, 4 * 60, BERLIN).holds(at(text)) == inside


def test_the_night_of_sunday_reaches_into_monday():
    window = Window(frozenset({6}), 22 * 60, 4 * 60, BERLIN)
    assert window.holds(at("2026-11-30 03:00"))
    assert not window.holds(at("2026-11-29 03:00"))


@pytest.mark.parametrize("end", [0, 1440])
def test_until_midnight(end):
    window = Window(frozenset({4}), 22 * 60, end, BERLIN)
    assert window.holds(at("2026-11-27 23:59"))
    assert not window.holds(at("2026-11-28 00:00"))


def test_when_clocks_go_forward_the_window_begins_after_the_gap():
    # 02:00 to 03:00 on 28 March 2027 does not exist in Berlin.
    window = Window(frozenset({6}), 150, 300, BERLIN)
    before = datetime(2027, 3, 28, 0, 59, tzinfo=timezone.utc)
    assert not window.holds(before)
    assert window.holds(before + MINUTE)
    assert window.opening(before) == "Sun 2027-03-28 03:00 Europe/Berlin"


def test_a_window_within_the_gap_waits_for_the_next_week():
    window = Window(frozenset({6}), 125, 150, BERLIN)
    assert window.opening(at("2027-03-27 12:00")) == "Sun 2027-04-04 02:05 Europe/Berlin"


def test_when_clocks_go_back_the_hour_counts_twice():
    # 02:00 to 03:00 on 25 October 2026 comes twice in Berlin.
    window = Window(frozenset({6}), 60, 150, BERLIN)
    assert window.holds(at("2026-10-25 02:29", fold=0))
    assert not window.holds(at("2026-10-25 02:45", fold=0))
    assert window.holds(at("2026-10-25 02:15", fold=1))
    assert not window.holds(at("2026-10-25 02:30", fold=1))
    reopens = window.opens(at("2026-10-25 02:45", fold=0))
    assert reopens.astimezone(timezone.utc) == datetime(2026, 10, 25, 1, 0, tzinfo=timezone.utc)


def test_a_whole_day_has_23_24_or_25_hours():
    window = Window(frozenset({6}), zone=BERLIN)
    for day, hours in (("2027-03-28", 23), ("2026-11-29", 24), ("2026-10-25", 25)):
        start = at(f"{day} 00:00").astimezone(timezone.utc)
        minutes = (start + n * MINUTE for n in range(-1440, 2880))
        assert sum(window.holds(moment) for moment in minutes) == hours * 60


def test_a_window_opens_today_or_in_a_week():
    assert NIGHT.opening(NOON) == "Sat 2026-11-28 02:00 Europe/Berlin"
    assert NIGHT.opening(at("2026-11-28 01:59:30")) == "Sat 2026-11-28 02:00 Europe/Berlin"
    assert NIGHT.opening(at("2026-11-28 05:00")) == "Sat 2026-12-05 02:00 Europe/Berlin"


@pytest.fixture
def clock(monkeypatch):
    """Let the host live in another time zone."""

    def move(zone):
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_without_a_zone_it_is_the_hosts_time(clock):
    window = Window(frozenset({2}), 12 * 60, 13 * 60)
    clock("Europe/Berlin")
    assert window.holds(NOON)
    assert window.opening(NOON - 30 * MINUTE) == "Wed 2026-11-25 12:00 local time"
    clock("America/New_York")
    assert not window.holds(NOON)
    assert window.opening(NOON) == "Wed 2026-11-25 12:00 local time"
    assert window.opens(NOON) == NOON + timedelta(hours=6)


def test_the_hosts_time_changes_with_the_seasons(clock):
    clock("Europe/Berlin")
    window = Window(start=12 * 60, end=13 * 60)
    assert window.holds(datetime(2026, 7, 1, 10, 0, tzinfo=timezone.utc))
    assert not window.holds(datetime(2026, 7, 1, 11, 0, tzinfo=timezone.utc))


def test_windows_for_people():
    assert str(NIGHT) == "sat 02:00-05:00 Europe/Berlin"
    assert str(Window(frozenset({6, 0}), 1320, 240)) == "mon, sun 22:00-04:00 local time"
    assert str(Window()) == "every day 00:00-24:00 local time"


# --- the verdict ---------------------------------------------------------------------------

RESTART = (
    Interruption("ip_shared", ("fs1",), "restart"),
    Interruption("fs", ("fs1",), "restart"),
)
BUSY = Calls(214, "fs1")
IDLE = Calls(0, "fs1")
MUTE = Calls(None, "fs1", "FreeSWITCH does not answer on this node: its Event Socket hangs.")
DOWN = Calls(None, "fs1", "it is down", expected=False)
AWAY = Calls(None, "fs2", "the calls are on fs1, which only fs1 can count", expected=False)
RESTARTS = "restart of ip_shared and fs on fs1 interrupts"
LEGS = "214 call legs (a bridged call has two)"
HANGS = "FreeSWITCH does not answer on this node: its Event Socket hangs"
OTHERWISE = f", or override for one run with: {OVERRIDE}"
WAIT = "wait for the window that opens on Sat 2026-11-28 02:00 Europe/Berlin"
OUTSIDE = "it is outside of fsha:guard:window (sat 02:00-05:00 Europe/Berlin)"


def words(kind, reason, cost, allow=""):
    """Return what a verdict says; where something would allow it, the override would as well."""
    return kind, reason, cost, allow + OTHERWISE if allow else ""


@pytest.mark.parametrize(
    ("given", "calls", "said"),
    [
        # Within the ceiling.
        (Policy(), IDLE, words("allowed", "fs1 has none", f"{RESTARTS} no calls")),
        (
            Policy(214),
            BUSY,
            words("allowed", "fsha:guard:calls allows 214", f"{RESTARTS} {LEGS}"),
        ),
        (
            Policy(None),
            BUSY,
            words("allowed", "fsha:guard:calls allows any number", f"{RESTARTS} {LEGS}"),
        ),
        # Above it.
        (
            Policy(),
            BUSY,
            words(
                "refused",
                "fsha:guard:calls allows none",
                f"{RESTARTS} {LEGS}",
                "wait for fewer calls or raise fsha:guard:calls to 214",
            ),
        ),
        (
            Policy(213),
            BUSY,
            words(
                "refused",
                "fsha:guard:calls allows no more than 213",
                f"{RESTARTS} {LEGS}",
                "wait for fewer calls or raise fsha:guard:calls to 214",
            ),
        ),
        (
            Policy(),
            Calls(1, "fs1"),
            words(
                "refused",
                "fsha:guard:calls allows none",
                f"{RESTARTS} 1 call leg",
                "wait for fewer calls or raise fsha:guard:calls to 1",
            ),
        ),
        # Not to be counted.
        (
            Policy(5),
            MUTE,
            words(
                "refused",
                f"the calls on fs1 can't be counted ({HANGS})",
                f"{RESTARTS} an unknown number of calls",
                "see that FreeSWITCH answers on fs1 or set fsha:guard:unknown to allow",
            ),
        ),
        (
            Policy(5),
            Calls(None, "fs1"),
            words(
                "refused",
                "the calls on fs1 can't be counted",
                f"{RESTARTS} an unknown number of calls",
                "see that FreeSWITCH answers on fs1 or set fsha:guard:unknown to allow",
            ),
        ),
        (
            Policy(5, allow_unknown=True),
            MUTE,
            words(
                "allowed",
                f"fsha:guard:unknown allows what can't be counted ({HANGS})",
                f"{RESTARTS} an unknown number of calls",
            ),
        ),
        (
            Policy(None),
            MUTE,
            words(
                "allowed",
                "fsha:guard:calls allows any number",
                f"{RESTARTS} an unknown number of calls",
            ),
        ),
        (
            Policy(),
            DOWN,
            words("allowed", "FreeSWITCH should not be up on fs1", f"{RESTARTS} no calls"),
        ),
        # On the other node.
        (
            Policy(5),
            AWAY,
            words(
                "elsewhere",
                "the calls are on fs1, which only fs1 can count",
                f"{RESTARTS} an unknown number of calls",
                "apply it on fs1",
            ),
        ),
        (
            Policy(5, allow_unknown=True),
            AWAY,
            words(
                "elsewhere",
                "the calls are on fs1, which only fs1 can count",
                f"{RESTARTS} an unknown number of calls",
                "apply it on fs1",
            ),
        ),
        (
            Policy(None),
            AWAY,
            words(
                "allowed",
                "fsha:guard:calls allows any number",
                f"{RESTARTS} an unknown number of calls",
            ),
        ),
        # Outside of the window, even without calls, even with any number of them.
        (
            Policy(window=NIGHT),
            IDLE,
            words("refused", OUTSIDE, f"{RESTARTS} no calls", WAIT),
        ),
        (
            Policy(None, window=NIGHT),
            BUSY,
            words("refused", OUTSIDE, f"{RESTARTS} {LEGS}", WAIT),
        ),
        (
            Policy(None, window=NIGHT),
            AWAY,
            words("refused", OUTSIDE, f"{RESTARTS} an unknown number of calls", WAIT),
        ),
        # What stands in the way is told at once.
        (
            Policy(window=NIGHT),
            BUSY,
            words(
                "refused",
                f"{OUTSIDE} and fsha:guard:calls allows none",
                f"{RESTARTS} {LEGS}",
                f"{WAIT}, and wait for fewer calls or raise fsha:guard:calls to 214",
            ),
        ),
        (
            Policy(window=NIGHT),
            AWAY,
            words(
                "refused",
                f"{OUTSIDE} and the calls are on fs1, which only fs1 can count",
                f"{RESTARTS} an unknown number of calls",
                f"{WAIT}, and apply it on fs1",
            ),
        ),
        # Overridden.
        (
            Policy(override=True),
            BUSY,
            words(
                "allowed",
                "override is set, although fsha:guard:calls allows none",
                f"{RESTARTS} {LEGS}",
            ),
        ),
        (
            Policy(window=NIGHT, override=True),
            MUTE,
            words(
                "allowed",
                f"override is set, although {OUTSIDE} and the calls on fs1 can't be counted "
                f"({HANGS})",
                f"{RESTARTS} an unknown number of calls",
            ),
        ),
        (
            Policy(override=True),
            AWAY,
            words(
                "allowed",
                "override is set, although the calls are on fs1, which only fs1 can count",
                f"{RESTARTS} an unknown number of calls",
            ),
        ),
        (
            Policy(override=True),
            IDLE,
            words("allowed", "override is set", f"{RESTARTS} no calls"),
        ),
    ],
)
def test_each_verdict_in_words(given, calls, said):
    verdict = judge(given, RESTART, calls, NOON)
    assert (verdict.kind, verdict.reason, verdict.cost, verdict.allow) == said
    assert verdict.interrupted == ("ip_shared", "fs")
    assert verdict.calls == (None if calls is AWAY else calls.count)
    assert verdict.allowed == (verdict.kind == "allowed")


@pytest.mark.parametrize("given", [Policy(), Policy(window=NIGHT), Policy(override=True)])
@pytest.mark.parametrize("calls", [BUSY, MUTE, AWAY])
def test_what_interrupts_nothing_is_allowed_at_any_time(given, calls):
    verdict = judge(given, (), calls, NOON)
    assert verdict == Verdict(
        "allowed", "nothing that carries calls stops", "no call is interrupted", calls=0
    )


def test_inside_the_window_the_ceiling_still_holds():
    night = at("2026-11-28 03:00")
    assert judge(Policy(window=NIGHT), RESTART, IDLE, night).allowed
    verdict = judge(Policy(window=NIGHT), RESTART, BUSY, night)
    assert verdict.reason == "fsha:guard:calls allows none"


def test_a_count_of_this_node_says_nothing_about_another():
    verdict = judge(Policy(5), RESTART, Calls(0, "fs2"), NOON)
    assert (verdict.kind, verdict.calls) == ("elsewhere", None)


TWICE = (Interruption("fs", ("fs1", "fs2"), "restart"),)


def test_on_two_nodes_the_calls_of_the_other_are_its_own_to_count():
    verdict = judge(Policy(5), TWICE, Calls(3, "fs1"), NOON)
    assert (verdict.kind, verdict.awaits, verdict.watches) == ("elsewhere", ("fs2",), False)
    assert verdict.calls == 3
    assert verdict.reason == "the calls on fs2 matter as well, which only fs2 can count"
    assert verdict.cost == (
        "restart of fs on fs1 and fs2 interrupts 3 call legs (a bridged call has two) on fs1 "
        "and an unknown number of calls on fs2"
    )
    assert verdict.allow == f"apply it on fs1 and fs2 at the same time{OTHERWISE}"
    assert str(verdict).startswith("Not on this node alone: ")


def test_on_two_nodes_what_this_one_has_against_it_refuses_it():
    verdict = judge(Policy(), TWICE, Calls(3, "fs1"), NOON)
    assert (verdict.kind, verdict.awaits) == ("refused", ())
    assert verdict.reason == (
        "fsha:guard:calls allows none and the calls on fs2 matter as well, which only fs2 can count"
    )
    assert verdict.allow == (
        "wait for fewer calls or raise fsha:guard:calls to 3, and apply it on fs1 and fs2 at the "
        f"same time{OTHERWISE}"
    )


def test_on_two_nodes_neither_of_which_can_be_counted():
    verdict = judge(Policy(5), TWICE, MUTE, NOON)
    assert verdict.kind == "refused"
    assert verdict.reason == (
        f"the calls on fs1 can't be counted ({HANGS}) and the calls on fs2 matter as well, which "
        "only fs2 can count"
    )


def test_a_restore_can_t_be_made_on_two_nodes_at_the_same_time():
    verdict = judge(Policy(5), TWICE, Calls(3, "fs1"), NOON, restore_points.way(4))
    assert (verdict.kind, verdict.awaits) == ("refused", ())
    assert verdict.reason == "the calls on fs2 can't be counted on fs1"
    assert verdict.allow == (
        "set fsha:guard:unknown to allow, or override for one run with: "
        "salt-call pacemaker.restore 4 override=True"
    )


def test_on_two_nodes_what_is_known_counts():
    lenient = Policy(2, allow_unknown=True)
    assert judge(lenient, TWICE, Calls(3, "fs1"), NOON).reason == (
        "fsha:guard:calls allows no more than 2"
    )
    allowed = judge(lenient, TWICE, Calls(2, "fs1"), NOON)
    assert allowed.allowed
    assert allowed.reason == "fsha:guard:unknown allows what can't be counted on fs1"


@pytest.mark.parametrize(
    ("interruptions", "text"),
    [
        ([("fs", ("fs1",), "stop")], "stop of fs on fs1 interrupts no calls"),
        (
            [("a", ("fs1",), "move"), ("b", ("fs1",), "move"), ("c", ("fs1",), "move")],
            "move of a, b and c from fs1 interrupts no calls",
        ),
        (
            [("vip", ("fs1",), "stop"), ("fs", ("fs1",), "restart")],
            "stop of vip on fs1 and restart of fs on fs1 interrupt no calls",
        ),
    ],
)
def test_costs_in_words(interruptions, text):
    found = [Interruption(*item) for item in interruptions]
    assert judge(Policy(), found, IDLE, NOON).cost == text


def test_a_resource_that_is_named_twice_is_one():
    found = [Interruption("fs", ("fs1",), "stop"), Interruption("fs", ("fs1",), "demote")]
    assert judge(Policy(), found, IDLE, NOON).interrupted == ("fs",)


def test_verdicts_for_people():
    assert str(judge(Policy(), RESTART, BUSY, NOON)) == (
        f"Refused: {RESTARTS} {LEGS}; fsha:guard:calls allows none. To do it: wait for fewer "
        f"calls or raise fsha:guard:calls to 214, or override for one run with: {OVERRIDE}"
    )
    assert str(judge(Policy(), RESTART, AWAY, NOON)) == (
        f"Not on this node: {RESTARTS} an unknown number of calls; the calls are on fs1, "
        "which only fs1 can count. To do it: apply it on fs1, or override for one run with: "
        f"{OVERRIDE}"
    )
    assert (
        str(judge(Policy(), RESTART, IDLE, NOON)) == f"Allowed: {RESTARTS} no calls; fs1 has none."
    )


def test_a_verdict_as_plain_data():
    data = judge(Policy(), RESTART, BUSY, NOON).as_data()
    assert json.loads(json.dumps(data)) == data
    assert data == {
        "kind": "refused",
        "allowed": False,
        "reason": "fsha:guard:calls allows none",
        "cost": f"{RESTARTS} {LEGS}",
        "allow": f"wait for fewer calls or raise fsha:guard:calls to 214{OTHERWISE}",
        "interrupted": ["ip_shared", "fs"],
        "calls": 214,
    }


def test_the_override_that_is_told_is_one():
    text = guard.OVERRIDE.partition("pillar='")[2].removesuffix("'")
    assert policy(json.loads(text)["fsha"]["guard"]).override


def test_from_the_cluster_to_the_verdict(sample):
    root = document.parse(sample("pair.xml"))
    transition = simulate.parse_transition(sample("transition-move.xml"))
    status = pacemaker_status.parse_status(sample("status-serving.xml"))
    found = interrupted(transition, voice_resources(root), status)
    assert str(judge(policy({}), found, Calls(2, "fs1"), NOON)).startswith(
        "Refused: move of ip_shared and fs from fs1 interrupts 2 call legs (a bridged call has "
        "two); fsha:guard:calls allows none."
    )


policies = st.builds(
    Policy,
    st.none() | st.integers(0, 9),
    st.booleans(),
    st.none() | windows(),
    st.booleans(),
)
readings = st.builds(
    Calls, st.none() | st.integers(0, 9), st.sampled_from(["fs1", "fs2"]), st.just("why"),
    st.booleans(),
)  # fmt: skip
nodes = st.sampled_from([("fs1",), ("fs2",), ("fs1", "fs2")])


@given(policies, readings, nodes, moments)
def test_nothing_is_allowed_that_the_policy_does_not_allow(given, calls, nodes, now):
    verdict = judge(given, [Interruption("fs", nodes)], calls, now)
    assert verdict.kind in ("allowed", "refused", "elsewhere")
    assert bool(verdict.allow) != verdict.allowed
    if given.override:
        assert verdict.allowed
    elif verdict.allowed:
        assert given.window is None or given.window.holds(now)
        assert given.calls is None or calls.node in nodes
        if given.calls is not None and calls.count is not None:
            assert calls.count <= given.calls
        if given.calls is not None and (calls.count is None or len(nodes) > 1):
            assert given.allow_unknown or (not calls.expected and len(nodes) == 1)
    assert bool(verdict.awaits) == (verdict.kind == "elsewhere")
    if verdict.kind == "elsewhere":
        assert set(verdict.awaits) == set(nodes) - {calls.node}
        assert verdict.watches == (calls.node not in nodes)
        assert given.window is None or given.window.holds(now)


def test_the_guards_advice_is_for_this_point_and_its_node():
    verdict = judge(Policy(), RESTART, Calls(0, "fs2"), NOON, restore_points.way(42))
    assert verdict.allow == (
        "take a restore point of fs1, which counts its own (pacemaker.history on fs1), or override "
        "for one run with: salt-call pacemaker.restore 42 override=True"
    )
