#!/bin/sh
# Pacemaker 2.1.5 (Debian 12): cibadmin writes a value with a tab and an end of line (both as character
# references, valid XML) with four blanks and the two letters backslash and n. The next reader gets
# another value than was given, and a tool that compares finds a difference for ever.
#
# Guess: what XML can hold comes back as it was written, or is refused.
# Seen: one<tab>two<newline>three comes back as 'one    two\nthree', and cibadmin ends with 0.
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

cat >cib.xml <<XML
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
  <configuration>
    <crm_config/><nodes/>
    <resources><primitive id="d" class="ocf" provider="heartbeat" type="Dummy"/></resources>
    <constraints/>
  </configuration>
  <status/>
</cib>
XML
echo '<primitive id="d" description="one&#9;two&#10;three"/>' >change.xml
CIB_file=$folder/cib.xml "$tools/cibadmin" --modify --scope resources --xml-file change.xml
got=$(python3 -c '
import sys
import xml.etree.ElementTree as ET

print(repr(ET.parse(sys.argv[1]).find(".//primitive").get("description")))
' cib.xml)
echo "$got"
test "$got" = "'one    two\\\\nthree'"
