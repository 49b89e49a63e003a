def test_it(loaders, cib_file, events):
    r = loaders.states.pacemaker_property.present(name="cib-bootstrap-options", values={"no-quorum-policy": "ignore"}, test=True)
    print(r.filtered)
    assert r.result is None
    r = loaders.states.pacemaker_property.present(name="cib-bootstrap-options", values={"no-quorum-policy": "ignore"})
    print(r.filtered)
    print(events())
    r = loaders.states.pacemaker_property.present(name="cib-bootstrap-options", values={"no-quorum-policy": "ignore"})
    print(r.filtered, events())
    assert 0
def test_2(high, cib_file, events):
    r= high(("p","pacemaker_resource","present",{"agent":"ocf:heartbeat:Dummy","transaction":"t"}), ("t","pacemaker_cib","committed",{}))
    print({k: v.filtered for k,v in r.items()})
    print(events())
    assert 0
