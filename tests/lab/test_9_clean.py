"""state.apply fsha.clean: the reverse, on both nodes at once."""

from __future__ import annotations

from lab import voice

GONE = (
    "/etc/corosync/corosync.conf",
    "/etc/corosync/authkey",
    "/etc/init.d/FSSofia",
    "/usr/lib/ocf/resource.d/fsha",
    "/usr/lib/fsha",
    "/etc/fsha/event_socket.password",
    "/etc/sysctl.d/90-fsha.conf",
    "/run/fsha/FSSofia",
    "/var/lib/fsha/recovery-store",
    "/usr/lib/fsha-recovery-store",
    "/etc/fsha/recovery_store.dsn",
    "/etc/systemd/system/fsha-recovery-store.service",
)


def apply(lab, sls, **kwargs):
    returns = lab.salt("*", "state.apply", sls, timeout=400, **kwargs)
    return voice.Applied(dict(returns), {}, 0.0)


def test_clean_and_back(lab):
    lab.reset()
    voice.give(lab, {**voice.example("pillar.example"), "recovery_store": {"mode": "pair"}})
    assert voice.apply(lab, timeout=900).failed == []
    switches = {node.name: node.main_pid("freeswitch") for node in lab.nodes.values()}
    looked = apply(lab, "fsha.clean", test=True)
    assert looked.failed == []
    assert any("fsha-clean-objects" in name for name in looked.changes)
    assert voice.serving(lab)

    done = apply(lab, "fsha.clean")
    assert done.failed == []
    for node in lab.nodes.values():
        assert not any(node.exists(path) for path in GONE)
        assert [node.unit_state(unit) for unit in ("corosync", "pacemaker")] == ["inactive"] * 2
        for unit in ("corosync", "pacemaker"):
            assert (
                node.run(["systemctl", "is-enabled", unit], check=False).out.strip() == "disabled"
            )
        bind = node.run(["sysctl", "-n", "net.ipv4.ip_nonlocal_bind"]).out.strip()
        assert bind == "0"
        # The switch is the user's.
        assert node.main_pid("freeswitch") == switches[node.name]
    assert lab.vip_holders() == []
    again = apply(lab, "fsha.clean")
    assert (again.failed, again.changes) == ([], {})

    assert voice.apply(lab).failed == []
    assert voice.serving(lab)
