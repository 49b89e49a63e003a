#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): an order keeps a group from starting, because what comes first is
# stopped. What is colocated with that group (INFINITY) starts all the same, with nothing beside it.
# With a primitive in the place of the group it does not. crm_verify is silent on both.
#
# Guess: a mandatory colocation with something that does not run keeps a resource from running,
# whether that something is a primitive or a group.
# Seen: 'x' on fs1 beside the group that is stopped, and on no node beside the primitive.
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

stopped=$(dummy first '<meta_attributes id="m"><nvpair id="r" name="target-role" value="Stopped"/></meta_attributes>')
rules='<rsc_order id="o" first="first" then="main"/>
  <rsc_colocation id="c" rsc="x" with-rsc="main" score="INFINITY"/>'
cib "$stopped<group id=\"main\">$(dummy a)$(dummy b)</group>$(dummy x)" "$rules" >group.xml
cib "$stopped$(dummy main)$(dummy x)" "$rules" >primitive.xml
got=$(
    echo "group:"
    settled group.xml a x
    echo "primitive:"
    settled primitive.xml main x
)
echo "$got"
test "$got" = "group:
a on no node
x on fs1
primitive:
main on no node
x on no node"
