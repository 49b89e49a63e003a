#!/bin/sh
# corosync 3.1.7 (Debian 12): a '#' begins a comment only at the start of a line. Behind a value it
# belongs to the value. For 'provider: corosync_votequorum # the usual' in the section quorum,
# 'corosync -t' prints no complaint and ends with 0, although no such provider exists; for
# 'token: 3000 # ms' it does complain. So a check of the file finds only some of them.
#
# Guess: either '#' begins a comment anywhere, or 'corosync -t' refuses a provider that it does not know.
# Seen: exit code 0 for the provider, 8 for the token.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for package in corosync=3.1.7-1+deb12u2 libcorosync-common4=3.1.7-1+deb12u2 libknet1=1.25-1 \
    libqb100=2.0.6-2 libcpg4=3.1.7-1+deb12u2 libcmap4=3.1.7-1+deb12u2; do
    apt-get download -qq "$package" >/dev/null 2>&1 || true
done
for file in ./*.deb; do dpkg-deb -x "$file" files; done
LD_LIBRARY_PATH=$(dirname "$(find "$folder/files" -name 'libqb.so.100')")
export LD_LIBRARY_PATH

# Print the exit code that corosync has for a file.
judge() { # provider, token
    cat >corosync.conf <<CONF
totem {
    version: 2
    cluster_name: voice
    transport: udpu
    token: $2
}
nodelist {
    node {
        ring0_addr: 127.0.0.1
        name: fs1
        nodeid: 1
    }
}
quorum {
    provider: $1
    expected_votes: 1
}
logging {
    to_stderr: no
    to_syslog: no
}
CONF
    files/usr/sbin/corosync -t -c "$folder/corosync.conf" >/dev/null 2>&1 && echo 0 || echo "$?"
}

got=$(
    echo "plain: $(judge corosync_votequorum 3000)"
    echo "provider: $(judge 'corosync_votequorum # the usual' 3000)"
    echo "token: $(judge corosync_votequorum '3000 # ms')"
)
echo "$got"
test "$got" = "plain: 0
provider: 0
token: 8"
