"""One fact, one event, always the same keys."""

import pytest

from fshalib.events import event as events_event


def test_an_event_has_its_tag_and_all_keys():
    sent = []
    data = {"action": "corrected"}
    tag = events_event.send(
        lambda *event: sent.append(event), events_event.DRIFT, "cib", "fs1", data, test=True
    )
    assert sent == [
        (
            "fsha/drift/fs1/cib",
            {
                "fsha": 1,
                "kind": "drift",
                "subject": "cib",
                "minion": "fs1",
                "test": True,
                "data": {"action": "corrected"},
            },
        )
    ]
    assert tag == "fsha/drift/fs1/cib"
    assert sent[0][1]["data"] is not data


@pytest.mark.parametrize("kind", events_event.KINDS)
def test_a_subject_is_one_step_of_the_tag(kind):
    assert events_event.tag(kind, "fs1", "/etc/hosts") == f"fsha/{kind}/fs1/_etc_hosts"


def test_a_bus_that_is_not_there_is_no_error():
    assert events_event.send(lambda *_: False, "commit", "cib", "fs1", {}) == "fsha/commit/fs1/cib"


def test_an_unknown_kind_is_not_sent():
    sent = []
    with pytest.raises(events_event.UnknownKind, match="'drifted' is none of drift, "):
        events_event.send(lambda *event: sent.append(event), "drifted", "cib", "fs1", {})
    assert sent == []


@pytest.mark.parametrize(
    ("refusal", "test", "kind", "action"),
    [
        ("", False, "drift", "corrected"),
        ("", True, "drift", "would_change"),
        ("it serves", False, "refused", "refused"),
        ("it serves", True, "refused", "refused"),
    ],
)
def test_drift_is_corrected_left_or_refused(refusal, test, kind, action):
    sent = []
    changes = {"mode": {"old": "0644", "new": "0600"}}
    events_event.send_drift(
        lambda *event: sent.append(event), "ring", "fs1", "/etc/key", changes, refusal, test
    )
    ((tag, event),) = sent
    assert tag == f"fsha/{kind}/fs1/ring"
    assert event["test"] is test
    assert event["data"] == {
        "resource": "/etc/key", "changes": changes, "action": action, "reason": refusal
    }  # fmt: skip
