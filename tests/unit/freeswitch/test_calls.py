"""Which calls there are and which would survive, from a switch's own words."""

import json

import pytest

from fshalib.freeswitch import calls
from fshalib.freeswitch.calls import (
    ChannelsUnknownError,
    Leg,
    marked,
    parse_channels,
    questions,
    report,
)

UUID = "defb83be-288b-4f76-aeee-{:012d}"


def row(number, callstate="ACTIVE", call=None, **more):
    return {
        "uuid": UUID.format(number),
        "name": f"sofia/internal/ua{number}@10.0.0.1:5060",
        "callstate": callstate,
        "call_uuid": UUID.format(call if call is not None else number),
        "secure": "",
        **more,
    }


def channels(*rows):
    return json.dumps({"row_count": len(rows), "rows": rows})


def told(transport="udp", bypass="_undef_"):
    return f"{transport}|{bypass}"


def switch(text, *answers):
    """Return what asks a switch that says this, and what it was asked."""
    asked = []
    left = list(answers)

    def ask(command):
        asked.append(command)
        return text if command == "show channels as json" else left.pop(0)

    return ask, asked


def test_a_quiet_switch_is_not_even_asked():
    ask, asked = switch("")
    assert report({"internal": 0, "stopped": None}, ask).as_data() == {
        "legs": 0,
        "known": True,
        "calls": 0,
        "kinds": {},
        "survive": 0,
        "doubtful": {},
        "lost": {},
        "why": {},
    }
    assert asked == []


def test_what_survives_and_what_does_not():
    rows = [
        row(1, call=1),
        row(2, call=1),
        row(3, "RINGING"),
        row(4, "HELD"),
        row(5),
        row(6),
        row(7, direction="outbound"),
        row(8, secure="srtp:sdes:AES_CM_128_HMAC_SHA1_80"),
        row(9, ip_addr="2001:db8::1"),
    ]
    answer = "^".join(
        [
            *(told(), told(), told(), told(), told("tls"), told(bypass="true")),
            *(told("sip:a@b;transport=tcp"), told(), told()),
        ]
    )
    parts = answer.split("^")
    ask, asked = switch(channels(*rows), "^".join(parts[:7]), "^".join(parts[7:]))
    data = report({"internal": 9}, ask).as_data()
    assert (data["legs"], data["known"], data["calls"]) == (9, True, 8)
    assert data["survive"] == 2
    assert data["lost"] == {"ringing": 1, "TLS": 1, "TCP": 1, "bypassed media": 1}
    assert data["doubtful"] == {"held": 1, "SRTP": 1, "IPv6": 1}
    assert data["kinds"]["answered"] == 7
    assert set(data["why"]) == {*data["lost"], *data["doubtful"]}
    assert len(asked) == 3
    assert f"{UUID.format(7)} sip_contact_uri" in asked[1]


def test_few_questions_for_many_calls_and_none_that_is_cut_off():
    legs = tuple(Leg(UUID.format(n), "internal", "answered", "") for n in range(200))
    asked = questions(legs)
    assert len(asked) <= 30
    assert all(len(question) <= calls.LONGEST for question in asked)
    for leg in legs:
        assert sum(question.count(f"{leg.uuid} sip_via_protocol") for question in asked) == 1
    answers = ["^".join([told()] * question.count("via_protocol")) for question in asked]
    assert all(leg.marks == frozenset() for leg in marked(legs, answers))


def test_the_rows_of_another_switch_do_not_count():
    """Seen on a real pair: the nodes share the database, and a killed switch leaves its rows."""
    answer = "^".join([told(), "|".join(["-ERR No such channel!"] * 2), told()])
    ask, _ = switch(channels(*map(row, range(3))), answer)
    data = report({"internal": 2}, ask).as_data()
    assert (data["known"], data["calls"], data["survive"]) == (True, 2, 2)


@pytest.mark.parametrize("listed", [0, 1, 3])
def test_another_number_than_the_profiles_is_not_believed(listed):
    ask, _ = switch(channels(*map(row, range(listed))), "^".join([told()] * listed))
    data = report({"internal": 2}, ask).as_data()
    assert (data["legs"], data["known"]) == (2, False)
    assert f"lists {listed} legs of this switch, the profiles have 2" in data["reason"]
    assert "survive" not in data


@pytest.mark.parametrize("text", ["-ERR Database error!", "", "[]", '{"rows": [{"uuid": "$(x)", '
                                  '"name": "sofia/a/b", "callstate": "ACTIVE"}]}'])  # fmt: skip
def test_a_switch_that_cannot_tell_is_not_guessed_about(text):
    ask, _ = switch(text)
    data = report({"internal": 1}, ask).as_data()
    assert (data["legs"], data["known"]) == (1, False)
    assert "can't tell" in data["reason"]


def test_channels_of_other_kinds_are_none_of_ours():
    text = channels(row(1), {**row(2), "name": "loopback/9999-a"})
    assert [leg.uuid for leg in parse_channels(text)] == [UUID.format(1)]


def test_an_answer_to_another_question():
    with pytest.raises(ChannelsUnknownError, match="1 of 2 channels"):
        marked((Leg("a", "p", "answered", ""), Leg("b", "p", "answered", "")), [told()])


def test_every_reason_is_explained():
    reasons = {*calls.WHY_LOST, *calls.WHY_DOUBTFUL}
    assert reasons == {"ringing", "TLS", "TCP", "bypassed media", "held", "IPv6", "SRTP"}


KNOWN_CALLS = {
    "legs": 6, "known": True, "survive": 3, "doubtful": {"held": 1},
    "lost": {"ringing": 1, "TLS": 1}, "why": {"held": "h", "ringing": "r", "TLS": "t"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "keeps", "expected"),
    [
        ({"legs": 0, "known": True}, True, "No calls are up."),
        ({"legs": None, "known": False, "reason": "it is down."}, True,
         "It is not known whether calls are up: it is down."),
        (KNOWN_CALLS, False,
         "6 call legs are up, and are hung up: stop_mode: recover would keep them."),
        ({"legs": 6, "known": False, "reason": "no list"}, True,
         "6 call legs are up; which survive is not known: no list."),
        (KNOWN_CALLS, True,
         "3 of 6 call legs survive; lost: 1 ringing (r), 1 TLS (t); doubtful: 1 held (h)."),
    ],
)  # fmt: skip
def test_what_would_become_of_them(data, keeps, expected):
    assert calls.forecast(data, keeps) == expected


@pytest.mark.parametrize("keeps", [True, None])
def test_calls_of_a_service_that_keeps_them_survive(keeps):
    assert calls.for_service(KNOWN_CALLS, keeps) == KNOWN_CALLS


def test_no_call_survives_a_service_that_hangs_up():
    data = calls.for_service(KNOWN_CALLS, False)
    assert (data["legs"], data["survive"], data["doubtful"]) == (6, 0, {})
    assert data["lost"] == {"hung up": 6}
    assert set(data["why"]) == {"hung up"}


@pytest.mark.parametrize("data", [{"legs": 0, "known": True, "survive": 0, "lost": {}},
                                  {"legs": 3, "known": False, "reason": "no list"}])  # fmt: skip
def test_without_calls_none_is_hung_up_and_what_is_not_known_stays_so(data):
    assert calls.for_service(data, False) == data
