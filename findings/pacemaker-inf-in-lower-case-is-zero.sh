#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): resource-stickiness="inf" is 0. crm_verify is silent, and so is the
# cluster. crmsh and pcs users know 'inf' as a short form of INFINITY, which is written in capitals.
#
# Guess: 'inf' is INFINITY, or an error.
# Seen: a resource with stickiness 'inf' leaves its node for a preference of 10; with 'INFINITY' it stays.
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

vip() { # stickiness, preferred node
    cib "$(dummy vip "<meta_attributes id=\"m\"><nvpair id=\"s\" name=\"resource-stickiness\" value=\"$1\"/></meta_attributes>")" \
        "<rsc_location id=\"l\" rsc=\"vip\" node=\"$2\" score=\"10\"/>"
}
# It runs on fs1; then the preference turns to fs2.
turned() { # stickiness
    vip "$1" fs1 >"begin-$1.xml"
    settled "begin-$1.xml" vip >/dev/null
    sed 's/node="fs1" score="10"/node="fs2" score="10"/' "settled-begin-$1.xml" >"turned-$1.xml"
    settled "turned-$1.xml" vip
}
got=$(for stickiness in inf INFINITY; do
    echo "$stickiness: $(turned "$stickiness")"
done)
echo "$got"
test "$got" = "inf: vip on fs2
INFINITY: vip on fs1"
