#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): while one member of a group is unmanaged, the group does not survive the
# loss of its node. crm_verify is silent.
#
# Guess: unmanaged means that the cluster leaves that one resource alone; after the loss of its node
# there is nothing left to leave alone, and the peer takes the group.
# Seen: the unmanaged member and all that come after it start nowhere; those before it do. With 'fs'
# unmanaged the peer has the address and no service; with 'vip' unmanaged it has neither.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=2.1.5-1+deb12u1
for package in pacemaker-cli-utils libpacemaker1 libcib27 libcrmcommon34 liblrmd28 libstonithd26 \
    libcrmservice28 libpe-rules26 libpe-status28 pacemaker-common; do
    apt-get download -qq "$package=$version" >/dev/null 2>&1
done
apt-get download -qq libqb100=2.0.6-2 >/dev/null 2>&1
for file in ./*.deb; do dpkg-deb -x "$file" files; done
LD_LIBRARY_PATH=$(dirname "$(find "$folder/files" -name libpacemaker.so.1)")
PCMK_schema_directory=$folder/files/usr/share/pacemaker
export LD_LIBRARY_PATH PCMK_schema_directory
tools=$folder/files/usr/sbin

cib() {
    cat <<XML
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      <nvpair id="fencing" name="stonith-enabled" value="false"/>
      <nvpair id="quorum" name="no-quorum-policy" value="ignore"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="fs1"/><node id="2" uname="fs2"/></nodes>
    <resources><group id="voice">
      <primitive id="vip" class="ocf" provider="heartbeat" type="Dummy">
        <meta_attributes id="vip-meta"><nvpair id="vip-managed" name="is-managed" value="true"/></meta_attributes>
      </primitive>
      <primitive id="fs" class="ocf" provider="heartbeat" type="Dummy">
        <meta_attributes id="fs-meta"><nvpair id="fs-managed" name="is-managed" value="true"/></meta_attributes>
      </primitive>
    </group></resources>
    <constraints><rsc_location id="home" rsc="voice" node="fs1" score="10"/></constraints>
  </configuration>
  <status>
    <node_state id="1" uname="fs1" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="2" uname="fs2" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>
XML
}

# Print where the members are after the loss of the node on which both have run.
after_loss() { # unmanaged member
    cib >managed.xml
    "$tools/crm_simulate" --xml-file managed.xml --simulate --save-output running.xml >/dev/null
    sed "s/\(id=\"$1-managed\" name=\"is-managed\" value\)=\"true\"/\1=\"false\"/" running.xml >now.xml
    "$tools/crm_verify" --xml-file now.xml
    "$tools/crm_simulate" --xml-file now.xml --node-down fs1 --simulate --save-output end.xml >/dev/null
    "$tools/crm_simulate" --xml-file end.xml --output-as=xml |
        python3 -c '
import sys
import xml.etree.ElementTree as ET

tree = ET.parse(sys.stdin)
for name in ("vip", "fs"):
    nodes = tree.findall(f".//cluster_status//resource[@id=\"{name}\"]/node")
    print(name, "on", *([node.get("name") for node in nodes] or ["no node"]))
'
}

got=$(for member in none fs vip; do
    echo "unmanaged: $member"
    after_loss "$member"
done)
echo "$got"
test "$got" = "unmanaged: none
vip on fs2
fs on fs2
unmanaged: fs
vip on fs2
fs on no node
unmanaged: vip
vip on no node
fs on no node"
