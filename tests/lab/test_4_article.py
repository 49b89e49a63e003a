"""The article's exact set-up: it comes up, works, and the run says what is advised."""

from __future__ import annotations

import pytest

from lab import voice


@pytest.fixture(scope="module")
def article(lab):
    lab.reset()
    voice.give(lab, voice.example("examples/article.sls"))
    applied = voice.apply(lab)
    assert applied.failed == []
    return lab, applied


def test_it_serves_where_the_article_wants_it(article):
    lab, _ = article
    assert voice.serving(lab) == "ubuntu-v20z"
    assert lab.vip_holders() == ["ubuntu-v20z"]
    cib = lab.nodes["ubuntu-v20z"].run(["cibadmin", "--query"]).out
    resources = ("ip_shared", "ip_shared_arp", "fs", "VoiceServices")
    others = ("cli-prefer-VoiceServices", "cli-prefer-rule-VoiceServices", "rsc-options")
    for id in (*resources, *others, "cib-bootstrap-options"):
        assert f'id="{id}"' in cib


def test_one_warning_says_what_is_advised(article):
    _, applied = article
    for minion in applied.states:
        warnings = applied.state(minion, "fsha-pillar")["warnings"]
        assert len(warnings) == 1
        for word in ("eth0:0", "SendArp", "infinite", "Why:", "Instead:"):
            assert word in warnings[0]


def test_second_run_changes_nothing(article):
    lab, _ = article
    again = voice.apply(lab)
    assert again.failed == []
    assert again.changes == {}


def test_switchover_is_held_against_the_infinite_preference(article):
    lab, _ = article
    node = lab.nodes["freeswitch-dev"]
    done = lab.salt_call(node, "fsha.failover", timeout=120).value
    assert done["result"] is True
    assert done["hold"] is True
    assert voice.serving(lab) == "freeswitch-dev"
    # A run leaves the hold, and the article's own constraint, where they are.
    again = voice.apply(lab)
    assert again.failed == []
    assert again.changes == {}
    assert voice.serving(lab) == "freeswitch-dev"
    back = lab.salt_call(node, "fsha.failback", timeout=120).value
    assert back["result"] is True
    assert voice.serving(lab) == "ubuntu-v20z"
    assert 'id="cli-ban' not in node.run(["cibadmin", "--query"]).out
    assert 'id="cli-prefer-VoiceServices"' in node.run(["cibadmin", "--query"]).out
