"""The same pair, built by the commands that a person would type, without Salt."""

from __future__ import annotations

import base64
import concurrent.futures
import secrets
from pathlib import Path

from lab import VIP, Lab, Node, voice
from lab.identity import PASSWORD_FILE

FILES = Path(__file__).parent.parent / "fsha/files"
SCRIPTS = (
    ("FSSofia", "/etc/init.d/FSSofia", 0o755),
    ("fssofia.sh", "/usr/lib/fsha/fssofia.sh", 0o644),
    ("fsha-probe", "/usr/lib/fsha/fsha-probe", 0o755),
)
"""What FSSofia is made of: the init script, its library, and what asks the network for it."""
KEY_BYTES = 256
PACKAGES = ["corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents"]

COROSYNC_CONF = """\
totem {
  version: 2
  cluster_name: voice
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
  token: 3000
}
nodelist {
  node {
    name: freeswitch-dev
    nodeid: 1
    ring0_addr: 10.101.20.110
    ring1_addr: 10.101.21.110
  }
  node {
    name: ubuntu-v20z
    nodeid: 2
    ring0_addr: 10.101.20.220
    ring1_addr: 10.101.21.220
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
logging {
  to_syslog: yes
}
"""

HOSTS = "10.101.20.110 freeswitch-dev\n10.101.20.220 ubuntu-v20z\n"

SETTINGS = f"PROFILES='internal'\nVIPS='{VIP}'\nPASSWORD_FILE={PASSWORD_FILE}\n"

RESOURCES = f"""\
<group id="VoiceServices">
  <primitive id="ip_shared" class="ocf" provider="heartbeat" type="IPaddr2">
    <instance_attributes id="ip_shared-params">
      <nvpair id="ip_shared-ip" name="ip" value="{VIP}"/>
      <nvpair id="ip_shared-nic" name="nic" value="eth0"/>
      <nvpair id="ip_shared-mask" name="cidr_netmask" value="24"/>
    </instance_attributes>
    <operations>
      <op id="ip_shared-monitor" name="monitor" interval="5s" timeout="20s"/>
    </operations>
  </primitive>
  <primitive id="fs" class="lsb" type="FSSofia">
    <operations>
      <op id="fs-monitor" name="monitor" interval="5s" timeout="15s"/>
      <op id="fs-start" name="start" interval="0" timeout="60s"/>
      <op id="fs-stop" name="stop" interval="0" timeout="90s"/>
    </operations>
  </primitive>
</group>
"""


def build(lab: Lab) -> None:
    """Turn two bare nodes into a serving pair with a person's commands, both side by side."""
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: _prepare(node, key), lab.nodes.values()))
    first = next(iter(lab.nodes.values()))
    lab.wait(lambda: _joined(first, len(lab.nodes)), 120, "both nodes online and a DC")
    for name, value in (("stonith-enabled", "false"), ("no-quorum-policy", "stop")):
        first.run(["crm_attribute", "--name", name, "--update", value])
    first.run(["cibadmin", "--create", "--scope", "resources", "--xml-text", RESOURCES])
    lab.wait(lambda: bool(voice.serving(lab)), 120, "the group to serve")


def _prepare(node: Node, key: str) -> None:
    node.run(["systemctl", "mask", "--runtime", "corosync", "pacemaker"])
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    node.run(["env", "DEBIAN_FRONTEND=noninteractive", *install], timeout=300)
    node.run(["systemctl", "unmask", "--runtime", "corosync", "pacemaker"])
    node.run(["tee", "-a", "/etc/hosts"], input=HOSTS)
    node.write("/etc/corosync/corosync.conf", COROSYNC_CONF)
    node.run(["sh", "-c", "umask 377; base64 -d > /etc/corosync/authkey"], input=key)
    node.write("/etc/default/FSSofia", SETTINGS)
    for source, target, mode in SCRIPTS:
        node.write(target, (FILES / source).read_text("utf-8"), mode)
    node.run(["systemctl", "enable", "-q", "--now", "corosync", "pacemaker"], timeout=120)


def _joined(node: Node, count: int) -> bool:
    status = voice.cluster_if_up(node)
    if status is None:
        return False
    return bool(status.dc) and sum(n.word == "online" for n in status.nodes) == count
