"""An apt repository as SignalWire has it: signed, over TLS, for those who know the token.

It lives on the outside machine, and holds one package with a unit that runs the lab's stand-in.
"""

from __future__ import annotations

import hashlib
import textwrap

from lab.settings import LINKS, OUTSIDE, STANDIN

ADDRESS = LINKS[0].address(OUTSIDE.host)
PORT = 8443
URL = f"https://{ADDRESS}:{PORT}/deb/"
KEY_URL = f"https://{ADDRESS}:{PORT}/key.gpg"
PACKAGE = "lab-switch"
SUITE = "lab"
ROOT = "/srv/signed"
CA = "/usr/local/share/ca-certificates/lab.crt"
UNIT_NAME = "lab-repository"

UNIT = (STANDIN / "freeswitch.service").read_text(encoding="utf-8")

CONTROL = f"""\
Package: {PACKAGE}
Version: 1.0
Architecture: all
Maintainer: lab <lab@localhost>
Description: the lab's stand-in as a package
"""

# The key is for everybody, as with SignalWire, the rest for those with the token alone.
SERVER = textwrap.dedent("""\
    import base64, functools, http.server, pathlib, ssl

    wanted = "Basic " + base64.b64encode(
        b"signalwire:" + pathlib.Path("/srv/token").read_bytes().strip()
    ).decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        # A connection that stays open: Debian 13's apt takes its end for a failure.
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path != "/key.gpg" and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="lab"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            super().do_GET()

    where = functools.partial(Handler, directory="@ROOT@")
    server = http.server.ThreadingHTTPServer(("@ADDRESS@", @PORT@), where)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/tls/cert.pem", "/srv/tls/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
""")


def make(lab, token):
    """Make the repository and serve it; return the SHA-256 sum of its key."""
    outside = lab.outside
    outside.run(["apt-get", "update"])
    outside.run(["apt-get", "install", "--yes", "--no-install-recommends", "gnupg"])
    _package(outside)
    _index(outside)
    key = _sign(outside)
    _serve(lab, token)
    return key


def _package(outside):
    tree = "/srv/package"
    outside.write(f"{tree}/DEBIAN/control", CONTROL)
    outside.write(f"{tree}/usr/lib/systemd/system/{PACKAGE}.service", UNIT)
    outside.run(["mkdir", "-p", f"{ROOT}/deb/pool", f"{ROOT}/deb/dists/{SUITE}/main/binary-all"])
    outside.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, f"{ROOT}/deb/pool/{PACKAGE}.deb"]
    )


def _sums(outside, path):
    size = outside.run(["stat", "-c", "%s", path]).out.strip()
    return outside.run(["sha256sum", path]).out.split()[0], size


def _index(outside):
    digest, size = _sums(outside, f"{ROOT}/deb/pool/{PACKAGE}.deb")
    packages = f"{CONTROL}Filename: pool/{PACKAGE}.deb\nSize: {size}\nSHA256: {digest}\n\n"
    base = f"{ROOT}/deb/dists/{SUITE}"
    lines = []
    architecture = outside.run(["dpkg", "--print-architecture"]).out.strip()
    for name in (f"main/binary-{architecture}/Packages", "main/binary-all/Packages"):
        outside.write(f"{base}/{name}", packages)
        data = packages.encode()
        lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n")
    release = (
        f"Origin: lab\nSuite: {SUITE}\nCodename: {SUITE}\nArchitectures: all {architecture}\n"
        f"Components: main\nSHA256:\n{''.join(lines)}"
    )
    outside.write(f"{base}/Release", release)


def _sign(outside):
    home = "/srv/gnupg"
    outside.run(["mkdir", "-p", "-m", "700", home])
    gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--passphrase", "", "--pinentry-mode",
           "loopback"]  # fmt: skip
    outside.run([*gpg, "--quick-generate-key", "lab <lab@localhost>", "rsa3072", "sign", "never"],
                timeout=120)  # fmt: skip
    outside.run([*gpg, "--output", f"{ROOT}/key.gpg", "--export"])
    base = f"{ROOT}/deb/dists/{SUITE}"
    outside.run([*gpg, "--output", f"{base}/InRelease", "--clearsign", f"{base}/Release"])
    return _sums(outside, f"{ROOT}/key.gpg")[0]


def _serve(lab, token):
    outside = lab.outside
    outside.write("/srv/token", token, 0o600)
    outside.run(["mkdir", "-p", "/srv/tls"])
    outside.run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=lab", "-addext", f"subjectAltName=IP:{ADDRESS}",
        "-keyout", "/srv/tls/key.pem", "-out", "/srv/tls/cert.pem",
    ])  # fmt: skip
    certificate = outside.read("/srv/tls/cert.pem")
    for node in lab.nodes.values():
        node.write(CA, certificate)
        node.run(["update-ca-certificates"])
    text = SERVER.replace("@ROOT@", ROOT).replace("@ADDRESS@", ADDRESS)
    outside.write("/srv/server.py", text.replace("@PORT@", str(PORT)))
    outside.run(["systemd-run", f"--unit={UNIT_NAME}", "python3", "/srv/server.py"])
    lab.wait(lambda: _listens(outside), 20, "the repository")


def _listens(outside):
    return outside.run(["ss", "-Hltn", f"sport = :{PORT}"]).out.strip()


def end(lab):
    """Take the repository down."""
    lab.outside.run(["systemctl", "stop", UNIT_NAME], check=False)
