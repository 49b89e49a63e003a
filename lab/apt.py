"""Where the host's own apt gets Debian from: the lab's mirrors are the host's mirrors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab import sh
from lab.errors import HostNotReadyError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FORMAT = "$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
PROXY_KEYS = ("Acquire::http::Proxy", "Acquire::https::Proxy")


@dataclass(frozen=True)
class Source:
    """One suite of one mirror, as in ``deb URI SUITE COMPONENT…``."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def line(self) -> str:
        """Return the one-line form of this source for a Debian archive."""
        return f"deb [signed-by={KEYRING}] {self.uri} {self.suite} {' '.join(self.components)}"


def host_codename(os_release: str) -> str:
    """Return the code name from the text of ``/etc/os-release``.

    Raises HostNotReadyError when the host isn't Debian.
    """
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    if fields.get("ID", "").strip('"') != "debian" or not fields.get("VERSION_CODENAME"):
        raise HostNotReadyError("the lab needs Debian 12 or 13: /etc/os-release says other")
    return fields["VERSION_CODENAME"].strip('"')


def sources_for(release: str, codename: str, index_targets: Iterable[str]) -> list[Source]:
    """Return the Debian suites of *release*, from the suites the host uses for its own *codename*.

    Args:
        release: Debian code name wanted in the lab.
        codename: the host's own code name.
        index_targets: lines of ``apt-get indextargets`` in :data:`FORMAT`.

    Raises:
        HostNotReadyError: apt has no source for the host's own release.

    """
    found: dict[tuple[str, str], set[str]] = {}
    for line in index_targets:
        kind, uri, suite, component = line.strip().split("|")
        if kind == "Packages" and (suite == codename or suite.startswith(f"{codename}-")):
            wanted = release + suite.removeprefix(codename)
            found.setdefault((uri, wanted), set()).add(component)
    sources = [Source(uri, suite, tuple(sorted(parts))) for (uri, suite), parts in found.items()]
    if not any(source.suite == release for source in sources):
        raise HostNotReadyError(
            f"apt has no source for {codename} (looked at apt-get indextargets): "
            "add a Debian mirror to /etc/apt/sources.list.d"
        )
    return sorted(sources, key=lambda source: source.suite != release)


def sources(release: str) -> list[Source]:
    """Return the suites of *release* as the host's apt configuration says; the main one first."""
    codename = host_codename(Path("/etc/os-release").read_text(encoding="utf-8"))
    listed = sh.run(["apt-get", "indextargets", "--format", FORMAT]).out.splitlines()
    return sources_for(release, codename, listed)


def proxies() -> dict[str, str]:
    """Return the apt proxies of the host as environment variables for other programs."""
    shown = sh.run(["apt-config", "dump", *PROXY_KEYS]).out
    found = {}
    for line in shown.splitlines():
        key, _, value = line.partition(" ")
        address = value.strip('";')
        if key in PROXY_KEYS and address and address != "DIRECT":
            found["https_proxy" if "https" in key.lower() else "http_proxy"] = address
    return found
