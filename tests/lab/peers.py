"""The recommended pair's cluster as its users' own tools build it: crmsh and pcs."""

from __future__ import annotations

import concurrent.futures
import xml.etree.ElementTree as ET

from lab import VIP, Lab, Node

POLICY = "/usr/sbin/policy-rc.d"
NO_START = "#!/bin/sh\nexit 101\n"
# What the cluster itself writes into its properties.
THE_CLUSTERS = {"dc-version", "have-watchdog", "cluster-infrastructure", "cluster-name"}

CRMSH = f"""\
primitive ip_shared IPaddr2 \\
    params nic=eth0 ip={VIP} cidr_netmask=24 \\
    op start interval=0 timeout=20 \\
    op stop interval=0 timeout=20 \\
    op monitor interval=5 timeout=20
primitive fs ocf:fsha:FSSofia \\
    params profiles=internal standby=cold stop_mode=hangup \\
    op start interval=0 timeout=60s \\
    op stop interval=0 timeout=90s \\
    op monitor interval=5s timeout=15s \\
    op monitor interval=30s timeout=30s OCF_CHECK_LEVEL=10
primitive spare ocf:pacemaker:Dummy op monitor interval=10s
group VoiceServices ip_shared fs
location prefer-freeswitch-dev VoiceServices 50: freeswitch-dev
colocation spare-with-voice 10: spare VoiceServices
order voice-before-spare Optional: VoiceServices spare
property stonith-enabled=no no-quorum-policy=stop cluster-recheck-interval=2m
rsc_defaults resource-stickiness=100 migration-threshold=1 failure-timeout=600
"""

PCS = f"""\
property set stonith-enabled=false no-quorum-policy=stop cluster-recheck-interval=120s
resource defaults update resource-stickiness=100 migration-threshold=1 failure-timeout=10min
resource create ip_shared ocf:heartbeat:IPaddr2 ip={VIP} cidr_netmask=24 nic=eth0 \
 op monitor interval=5s timeout=20s start timeout=20s stop timeout=20s
resource create fs ocf:fsha:FSSofia profiles=internal standby=cold stop_mode=hangup \
 op monitor interval=5s timeout=15s monitor interval=30s timeout=30s OCF_CHECK_LEVEL=10 \
 start timeout=60s stop timeout=90s
resource create spare ocf:pacemaker:Dummy op monitor interval=10s
resource group add VoiceServices ip_shared fs
constraint location VoiceServices prefers freeswitch-dev=50
constraint colocation add spare with VoiceServices 10
constraint order VoiceServices then spare kind=Optional
"""


def install(lab: Lab) -> None:
    """Put crmsh on one node and pcs on the other; no service is started or touched."""
    pairs = zip(lab.nodes.values(), ("crmsh", "pcs"), strict=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for job in [pool.submit(_install, node, package) for node, package in pairs]:
            job.result()


def _install(node: Node, package: str) -> None:
    node.write(POLICY, NO_START, 0o755)
    get = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    node.run(["env", "DEBIAN_FRONTEND=noninteractive", *get], timeout=180)
    node.run(["rm", POLICY])


def clear(node: Node) -> None:
    """Take everything out of the cluster that anybody has configured, and wait until it is."""
    query = ["cibadmin", "--query", "--scope", "configuration"]
    configuration = ET.fromstring(node.run(query).out)
    for section in list(configuration):
        if section.tag == "crm_config":
            _clear_properties(section)
        elif section.tag in ("resources", "constraints"):
            section.clear()
        elif section.tag != "nodes":
            configuration.remove(section)
    text = ET.tostring(configuration, encoding="unicode")
    node.run(["cibadmin", "--replace", "--scope", "configuration", "--xml-pipe"], input=text)
    settle(node)


def _clear_properties(section: ET.Element) -> None:
    for properties in section:
        for pair in list(properties):
            # Without fencing devices, nothing stops before this one is false.
            if pair.get("name") not in {*THE_CLUSTERS, "stonith-enabled"}:
                properties.remove(pair)


def by_crmsh(lab: Lab) -> None:
    """Build the cluster as a user of crmsh does, from one text."""
    node = next(iter(lab.nodes.values()))
    node.run(["crm", "configure", "load", "update", "-"], input=CRMSH)
    settle(node)


def by_pcs(lab: Lab) -> None:
    """Build the cluster as a user of pcs does: in a file, which is then pushed as a whole."""
    _, node = lab.nodes.values()
    node.run(["pcs", "cluster", "cib", "/root/pcs.xml"])
    node.run(["cp", "/root/pcs.xml", "/root/before.xml"])
    for line in PCS.splitlines():
        node.run(["pcs", "-f", "/root/pcs.xml", *line.split()])
    node.run(["pcs", "cluster", "cib-push", "/root/pcs.xml", "diff-against=/root/before.xml"])
    settle(node)


def settle(node: Node) -> None:
    """Wait until the cluster has nothing left to do."""
    node.run(["crm_resource", "--wait", "--timeout=60s"], timeout=90)
