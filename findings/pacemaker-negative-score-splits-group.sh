#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): a negative location score on a member of a group that is not the first
# does not move the group, and does not keep it away. After the loss of the other node the first
# member starts there, and this one starts nowhere, though it is the only node left and -1 is no ban.
# crm_verify is silent. (3.0.0 does the same.)
#
# Guess: a group is placed as one, by the sum of its members' scores; and a score of -1 is a
# preference, so the only node that is left is taken all the same.
# Seen: after --node-down=fs1 'vip' is started on fs2, 'fs' is stopped. With +1 both are on fs2, and
# with -1 on the first member in place of the second neither is: the group stays away as a whole.
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

# Write a pair with a group of two and one location.
cib() { # member score
    cat <<XML
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      <nvpair id="fencing" name="stonith-enabled" value="false"/>
      <nvpair id="quorum" name="no-quorum-policy" value="ignore"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="fs1"/><node id="2" uname="fs2"/></nodes>
    <resources><group id="voice">
      <primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"/>
      <primitive id="fs" class="ocf" provider="heartbeat" type="Dummy"/>
    </group></resources>
    <constraints><rsc_location id="wish" rsc="$1" node="fs2" score="$2"/></constraints>
  </configuration>
  <status>
    <node_state id="1" uname="fs1" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="2" uname="fs2" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>
XML
}

# Print where both members are once the first node has gone.
after_loss() { # member score
    cib "$1" "$2" >before.xml
    "$tools/crm_verify" --xml-file before.xml
    "$tools/crm_simulate" --xml-file before.xml --simulate --save-output settled.xml >/dev/null
    "$tools/crm_simulate" --xml-file settled.xml --node-down fs1 --simulate --save-output end.xml >/dev/null
    "$tools/crm_simulate" --xml-file end.xml --output-as=xml |
        python3 -c '
import sys
import xml.etree.ElementTree as ET

tree = ET.parse(sys.stdin)
for name in ("vip", "fs"):
    resource = tree.find(f".//cluster_status//resource[@id=\"{name}\"]")
    node = resource.find("node")
    print(name, "on", "no node" if node is None else node.get("name"))
'
}

got=$(for case in "fs -1" "fs 1" "vip -1"; do
    echo "$case:"
    # shellcheck disable=SC2086 # two words
    after_loss $case
done)
echo "$got"
test "$got" = "fs -1:
vip on fs2
fs on no node
fs 1:
vip on fs2
fs on fs2
vip -1:
vip on no node
fs on no node"
