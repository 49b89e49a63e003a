#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): 'fs' is colocated with 'vip' and with 'x', both INFINITY, and nothing
# else is said. The cluster spreads 'vip' and 'x' over two nodes, and 'fs' runs nowhere, though one
# node could hold all three. crm_verify is silent.
#
# Guess: the cluster looks for a placement that keeps all mandatory constraints and runs everything.
# Seen: vip on fs1, x on fs2, fs on no node. With 'x' colocated with 'vip' all three run on fs1.
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

cib() { # resources, constraints
    cat <<XML
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      <nvpair id="fencing" name="stonith-enabled" value="false"/>
      <nvpair id="quorum" name="no-quorum-policy" value="ignore"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="fs1"/><node id="2" uname="fs2"/></nodes>
    <resources>$1</resources>
    <constraints>$2</constraints>
  </configuration>
  <status>
    <node_state id="1" uname="fs1" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="2" uname="fs2" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>
XML
}

dummy() { # id, content
    echo "<primitive id=\"$1\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\">${2:-}</primitive>"
}

# Print where resources are once the cluster has settled; the CIB is a valid one.
settled() { # file, resources
    file=$1
    shift
    "$tools/crm_verify" --xml-file "$file"
    "$tools/crm_simulate" --xml-file "$file" --simulate --save-output "settled-$file" >/dev/null
    "$tools/crm_simulate" --xml-file "settled-$file" --output-as=xml |
        python3 -c '
import sys
import xml.etree.ElementTree as ET

tree = ET.parse(sys.stdin)
for name in sys.argv[1:]:
    nodes = tree.findall(f".//cluster_status//resource[@id=\"{name}\"]/node")
    print(name, "on", *([node.get("name") for node in nodes] or ["no node"]))
' "$@"
}

all="$(dummy vip)$(dummy x)$(dummy fs)"
two='<rsc_colocation id="c1" rsc="fs" with-rsc="vip" score="INFINITY"/>
  <rsc_colocation id="c2" rsc="fs" with-rsc="x" score="INFINITY"/>'
cib "$all" "$two" >two.xml
cib "$all" "$two<rsc_colocation id=\"c3\" rsc=\"x\" with-rsc=\"vip\" score=\"INFINITY\"/>" >three.xml
got=$(
    echo "two constraints:"
    settled two.xml vip x fs
    echo "three:"
    settled three.xml vip x fs
)
echo "$got"
test "$got" = "two constraints:
vip on fs1
x on fs2
fs on no node
three:
vip on fs1
x on fs1
fs on fs1"
