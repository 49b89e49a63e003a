#!/bin/sh
# resource-agents 4.12.0 (Debian 12): its ra-api-1.dtd, by which ocf-tester judges an agent's metadata,
# knows no choice among values, and an agent that names this DTD can't add it in its own document.
#
# Guess: OCF 1.1 has content type="select" with <option> elements, so the DTD takes them; or the
# document may declare them itself, as it may add attributes.
# Seen: 'Value "select" for attribute type of content is not among the enumerated set', and
# 'Redefinition of element content'. Only a DTD that is whole in the document takes a choice.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq resource-agents=1:4.12.0-2 >/dev/null 2>&1
dpkg-deb -x resource-agents_*.deb files
python3 -m venv venv
venv/bin/pip install --quiet 'lxml==6.1.0' 2>/dev/null
dtd=$(find files -name ra-api-1.dtd)
cat >look.py <<'END'
import sys
from pathlib import Path

from lxml import etree

DTD = Path(sys.argv[1])
HEAD = '<!DOCTYPE parameters SYSTEM "ra-api-1.dtd" [\n%s]>\n'
CHOICE = (
    '<parameters><parameter name="mode"><longdesc>m</longdesc><shortdesc>m</shortdesc>'
    '<content type="select" default="a"><option value="a"/><option value="b"/></content>'
    "</parameter></parameters>"
)
OWN = (
    "<!ELEMENT content (option*)>\n<!ELEMENT option EMPTY>\n"
    "<!ATTLIST option value CDATA #REQUIRED>\n"
    "<!ATTLIST content type (string|integer|boolean|select|time) #REQUIRED>\n"
)


def judge(text):
    parser = etree.XMLParser(dtd_validation=True, load_dtd=True, no_network=True)
    try:
        etree.fromstring(text.encode(), parser, base_url=DTD.resolve().as_uri())
    except etree.XMLSyntaxError as error:
        return error.msg.partition(",")[0]
    return "valid"


print("plain:", judge(HEAD % "" + CHOICE))
print("with its own declaration:", judge(HEAD % OWN + CHOICE))
END
seen=$(venv/bin/python look.py "$dtd")
printf '%s\n' "$seen"
expected='plain: Value "select" for attribute type of content is not among the enumerated set
with its own declaration: Redefinition of element content'
[ "$seen" = "$expected" ]
