"""Build what the machines are made of: Debian, packages, wheels, layers. Cached by recipe.

=============  ==================================================================================
stage          holds
=============  ==================================================================================
debian         a plain Debian root (debootstrap, updated)
repo           a flat apt repository with the dependency closure of all packages of the lab
wheels         wheels of Salt and lxml for that Debian's Python, and a layer with Salt installed
node           the overlay layer that makes a Debian with Salt a lab machine: apt source, units
outside        the overlay layer with the test clients, above ``node``
=============  ==================================================================================
"""

from __future__ import annotations

import concurrent.futures
import configparser
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import apt, sh
from lab.cache import Cache, Stage
from lab.launch import Spec
from lab.settings import (
    BASE_PACKAGES,
    BUILD_PACKAGES,
    COMMAND_ENVIRONMENT,
    FILES,
    LINKS,
    NODE_PACKAGES,
    OUTSIDE_PACKAGES,
    PREFIX_LENGTH,
    REPOSITORY_RIVALS,
    SALT_VERSION,
    WHEELS,
    repository_packages,
)

# Raised when the way a stage is built changes although its recipe's data does not.
RECIPE_VERSIONS = {"debian": 1, "repo": 1, "wheels": 2, "node": 2, "outside": 2}
STEP_SECONDS = 1800.0
REPOSITORY_PATH = "/srv/repo"
WHEELS_PATH = "/srv/wheels"
POSTGRESQL_PATH = "/usr/local/lib/fsha-lab/postgresql"
POSTGRESQL_DATA = "/var/lib/postgresql/lab"
HOST_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Not at its usual place: an update of ca-certificates replaces the file there.
CERTIFICATES = "/run/host-certificates.crt"
MIRROR_LIST = "/etc/apt/sources.list.d/mirror.list"
PIP_CONFIGURATIONS = (
    Path("/etc/pip.conf"),
    Path("/etc/xdg/pip/pip.conf"),
    Path.home() / ".pip" / "pip.conf",
    Path.home() / ".config" / "pip" / "pip.conf",
)
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
APT = (
    "apt-get", "-y", "-q", "--no-install-recommends", "-o", "APT::Sandbox::User=root",
    "-o", f"Acquire::https::CAInfo={CERTIFICATES}",
)  # fmt: skip
# All that it starts and mounts ends with it.
OWN_PROCESSES = (
    "unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child",
    "--mount-proc",
)  # fmt: skip
# Lines of apt, debootstrap and pip that tell how far the work has come.
TELLING = re.compile(
    r"^(?:I: (?:Retrieving|Extracting|Unpacking|Configuring)|Get:|Setting up|Building|Collecting)"
)
TELL_EVERY = 40


@dataclass(frozen=True)
class Layers:
    """Where the finished parts of one Debian release are."""

    release: str
    debian: Path
    salt: Path
    node: Path
    outside: Path
    repo: Path
    wheels: Path

    def lower(self, *, node: bool) -> list[str]:
        """Return the lower directories of a machine's overlay, uppermost first."""
        layers = [] if node else [self.outside]
        return [str(path) for path in [*layers, self.node, self.salt, self.debian]]

    def stages(self) -> list[Path]:
        """Return the cache directories these layers live in."""
        parts = (self.debian, self.salt, self.node, self.outside, self.repo, self.wheels)
        return [path.parent for path in parts]


@dataclass
class Workshop:
    """A throw-away root inside a stage's directory, where commands run with the host's network."""

    directory: Path
    lower: Sequence[Path] = ()
    root: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    binds: list[tuple[str, str, bool]] = field(default_factory=list)
    tell: Callable[[str], None] | None = None

    @property
    def upper(self) -> Path:
        """What the commands changed."""
        return self.directory / "upper"

    def run(self, *argv: str) -> None:
        """Run *argv* in the root; raises LabCommandError with the end of the log."""
        command, environment = self._command(argv)
        sh.logged(
            command,
            self.directory / "build.log",
            timeout=STEP_SECONDS,
            env=environment,
            on_line=self._every(TELL_EVERY),
            shown=argv,
        )

    def output(self, *argv: str) -> str:
        """Run *argv* in the root and return what it prints."""
        command, environment = self._command(argv)
        return sh.run(command, timeout=STEP_SECONDS, env=environment, shown=argv).out

    def _command(self, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        target = self.root if self.root is not None else self.directory / "target"
        for part in (target, self.upper, self.directory / "work"):
            part.mkdir(exist_ok=True)
        network = [("/etc/resolv.conf", "/etc/resolv.conf", False)]
        network.append((str(HOST_CERTIFICATES), CERTIFICATES, False))
        spec = Spec(
            argv=list(argv),
            env={
                **COMMAND_ENVIRONMENT,
                **_inherited(),
                "DEBIAN_FRONTEND": "noninteractive",
                "SSL_CERT_FILE": CERTIFICATES,
                **self.env,
            },
            target=str(target),
            overlay=[str(path) for path in self.lower],
            upper=str(self.upper),
            work=str(self.directory / "work"),
            binds=[*network, *self.binds],
            system=True,
            chroot=True,
        )
        return spec.command(own_pids=True)

    def _every(self, count: int) -> Callable[[str], None] | None:
        """Return a line listener that passes on every *count*-th telling line."""
        tell = self.tell
        seen = 0
        if tell is None:
            return None

        def listen(line: str) -> None:
            nonlocal seen
            if TELLING.match(line):
                seen += 1
                if seen % count == 0:
                    tell(f"{seen} steps, now: {line[:70]}")

        return listen

    def clear(self) -> None:
        """Remove the working directories."""
        for part in ("upper", "work", "target"):
            shutil.rmtree(self.directory / part, ignore_errors=False)


def _inherited() -> dict[str, str]:
    found = {key: os.environ[key] for key in PROXY_VARIABLES if key in os.environ}
    return {**apt.proxies(), **found}


class Builder:
    """Builds the stages of one Debian release in a cache."""

    def __init__(self, cache: Cache, release: str) -> None:
        self.cache = cache
        self.release = release
        self.sources = apt.sources(release)
        self.lines = [source.line() for source in self.sources]

    def layers(self) -> Layers:
        """Return the parts of all machines, building what is missing."""
        debian = self._stage("debian", {"packages": BASE_PACKAGES}, [], self._debian)
        root = debian.path / "root"
        packages = repository_packages(self.release)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            repo_job = pool.submit(
                self._stage,
                "repo",
                {"packages": packages, "rivals": REPOSITORY_RIVALS},
                [debian],
                lambda where: self._repo(where, root),
            )
            wheels_job = pool.submit(
                self._stage,
                "wheels",
                {"wheels": WHEELS, "build": BUILD_PACKAGES},
                [debian],
                lambda where: self._wheels(where, root),
            )
            try:
                repo, wheels = repo_job.result(), wheels_job.result()
            except BaseException:
                sh.kill_logged()
                raise
        node = self._stage(
            "node",
            {"files": tree_digest(FILES / "root"), "packages": NODE_PACKAGES},
            [debian, repo, wheels],
            lambda where: self._node(where, [wheels.path / "layer", root], repo.path),
        )
        outside = self._stage(
            "outside",
            {"packages": OUTSIDE_PACKAGES},
            [node],
            lambda where: self._outside(
                where, [node.path / "layer", wheels.path / "layer", root], repo.path
            ),
        )
        return Layers(
            release=self.release,
            debian=root,
            salt=wheels.path / "layer",
            node=node.path / "layer",
            outside=outside.path / "layer",
            repo=repo.path / "repo",
            wheels=wheels.path / "wheels",
        )

    def _stage(
        self,
        kind: str,
        recipe: dict[str, object],
        parents: Sequence[Stage],
        build: Callable[[Path], None],
    ) -> Stage:
        whole = {
            **recipe,
            "kind": kind,
            "version": RECIPE_VERSIONS[kind],
            "sources": self.lines,
            "parents": [parent.key for parent in parents],
        }
        return self.cache.stage(f"{kind}-{self.release}", whole, build)

    def _say(self, kind: str, what: str) -> None:
        self.cache.progress(f"cache: {kind}-{self.release}", what)

    def _workshop(self, kind: str, where: Path, lower: Sequence[Path]) -> Workshop:
        """Return a workshop with the Debian mirrors of the host as its apt sources."""
        mirrors = where / "mirror.list"
        mirrors.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        return Workshop(
            where,
            lower=lower,
            binds=[(str(mirrors), MIRROR_LIST, False)],
            tell=lambda line: self._say(kind, line),
        )

    def _debian(self, where: Path) -> None:
        main = self.sources[0]
        root = where / "root"
        self._say("debian", f"debootstrap from {main.uri}")
        workshop = self._workshop("debian", where, [])
        workshop.root = root
        sh.logged(
            [
                *OWN_PROCESSES,
                "debootstrap",
                "--variant=minbase",
                f"--include={','.join(BASE_PACKAGES)}",
                self.release,
                str(root),
                main.uri,
            ],
            where / "build.log",
            timeout=STEP_SECONDS,
            env={**os.environ, **_inherited()},
            on_line=workshop._every(TELL_EVERY),
        )
        self._say("debian", "security and point updates")
        (root / "etc/apt/sources.list").unlink()
        workshop.run(*APT, "update")
        workshop.run(*APT, "dist-upgrade")
        workshop.run("apt-get", "clean")
        shutil.rmtree(root / "var/lib/apt/lists")
        # An empty list would make systemd treat every boot as the first one: written per machine.
        for name in ("etc/machine-id", "etc/hostname", "etc/apt/sources.list.d/mirror.list"):
            (root / name).unlink(missing_ok=True)

    def _repo(self, where: Path, debian: Path) -> None:
        wanted = repository_packages(self.release)
        self._say("repo", f"downloading {len(wanted)} packages and all they depend on")
        workshop = self._workshop("repo", where, [debian])
        repo = where / "repo"
        repo.mkdir()
        workshop.binds.append((str(repo), REPOSITORY_PATH, True))
        workshop.run(*APT, "update")
        archives = f"Dir::Cache::archives={REPOSITORY_PATH}"
        for packages in (wanted, *REPOSITORY_RIVALS):
            workshop.run(*APT, "-o", archives, "--download-only", "install", *packages)
        shutil.rmtree(repo / "partial")
        (repo / "lock").unlink()
        workshop.run(*APT, "install", "apt-utils")
        self._say("repo", f"indexing {len(list(repo.glob('*.deb')))} packages")
        for name, verb in (("Packages", "packages"), ("Release", "release")):
            text = workshop.output("env", "-C", REPOSITORY_PATH, "apt-ftparchive", verb, ".")
            (repo / name).write_text(text, encoding="utf-8")
        workshop.clear()

    def _wheels(self, where: Path, debian: Path) -> None:
        self._say("wheels", f"Salt {SALT_VERSION} and lxml for {self.release}'s Python")
        workshop = self._workshop("wheels", where, [debian])
        workshop.run(*APT, "update")
        workshop.run(*APT, "install", *BUILD_PACKAGES)
        wheels = where / "wheels"
        wheels.mkdir()
        workshop.binds.append((str(wheels), WHEELS_PATH, True))
        workshop.binds.extend(_pip_binds())
        workshop.env = _pip_environment(where)
        workshop.binds.append((str(where / "pip.conf"), workshop.env["PIP_CONFIG_FILE"], False))
        workshop.run("python3", "-m", "venv", "/opt/wheel")
        workshop.run("/opt/wheel/bin/pip", "wheel", "--wheel-dir", WHEELS_PATH, *WHEELS)
        self._say("wheels", "virtual environment /opt/salt")
        workshop.env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS_PATH}
        workshop.run("python3", "-m", "venv", "/opt/salt")
        workshop.run("/opt/salt/bin/pip", "install", f"salt=={SALT_VERSION}")
        installed = where / "layer" / "opt"
        installed.mkdir(parents=True)
        (workshop.upper / "opt/salt").rename(installed / "salt")
        workshop.clear()

    def _node(self, where: Path, lower: Sequence[Path], repo: Path) -> None:
        self._say("node", "layer with the lab's units and package source")
        workshop = Workshop(where, lower=lower)
        workshop.upper.mkdir()
        sh.run(["cp", "-a", f"{FILES / 'root'}/.", str(workshop.upper)])
        sh.run(["chown", "-R", "root:root", str(workshop.upper)])
        workshop.binds.append((str(repo / "repo"), REPOSITORY_PATH, False))
        # Mount points for what is bound at boot; /srv/lab is shared by the nodes.
        for inside in ("srv/formula", "srv/lab", "srv/wheels", "opt/fsha-standin"):
            (workshop.upper / inside).mkdir(parents=True)
        workshop.run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "update")
        workshop.run(*APT, "install", *NODE_PACKAGES)
        workshop.run("apt-get", "clean")
        shutil.move(workshop.upper, where / "layer")
        workshop.upper.mkdir()
        workshop.clear()

    def _outside(self, where: Path, lower: Sequence[Path], repo: Path) -> None:
        self._say("outside", f"layer with {', '.join(OUTSIDE_PACKAGES)}")
        workshop = Workshop(where, lower=lower, tell=lambda line: self._say("outside", line))
        workshop.binds.append((str(repo / "repo"), REPOSITORY_PATH, False))
        workshop.upper.mkdir()
        # Debian's own cluster would start with every boot; ours starts when a lab wants it.
        own = workshop.upper / "etc/postgresql-common/createcluster.conf"
        own.parent.mkdir(parents=True)
        own.write_text("create_main_cluster = false\n", encoding="ascii")
        keep = ("-o", "Dpkg::Options::=--force-confold")
        workshop.run(*APT, *keep, "install", *OUTSIDE_PACKAGES)
        workshop.run("apt-get", "clean")
        workshop.run("systemctl", "disable", "postgresql.service")
        _database(workshop)
        shutil.move(workshop.upper, where / "layer")
        workshop.upper.mkdir()
        workshop.clear()


def _database(workshop: Workshop) -> None:
    """Make the empty PostgreSQL cluster of the lab, reachable by a password from the nodes."""
    (programs,) = (workshop.upper / "usr/lib/postgresql").iterdir()
    version = programs.name
    workshop.run("ln", "-sT", f"/usr/lib/postgresql/{version}", POSTGRESQL_PATH)
    as_postgres = ("runuser", "-u", "postgres", "--")
    # Small write-ahead log: a machine's writes are copied to memory file by file.
    options = ("--no-sync", "--locale=C.UTF-8", "--auth=peer", "--wal-segsize=1")
    workshop.run(
        *as_postgres, f"{POSTGRESQL_PATH}/bin/initdb", *options, "--pgdata", POSTGRESQL_DATA
    )
    rule = f"host all all {LINKS[0].network}.0/{PREFIX_LENGTH} scram-sha-256\n"
    with (workshop.upper / POSTGRESQL_DATA.lstrip("/") / "pg_hba.conf").open("a") as rules:
        rules.write(rule)


def _pip_texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in PIP_CONFIGURATIONS if path.is_file()]


def _pip_environment(where: Path) -> dict[str, str]:
    """Return what makes pip in the build root use the host's own package index."""
    env = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
    env.pop("PIP_CONFIG_FILE", None)
    env["PIP_CERT"] = CERTIFICATES
    merged = configparser.RawConfigParser(strict=False)
    for text in _pip_texts():
        merged.read_string(text)
    with (where / "pip.conf").open("w", encoding="utf-8") as sink:
        merged.write(sink)
    env["PIP_CONFIG_FILE"] = "/etc/host-pip.conf"
    return env


def _pip_binds() -> list[tuple[str, str, bool]]:
    """Return binds for what the host's pip configuration names: indexes, wheels, constraints."""
    values = [value for key, value in os.environ.items() if key.startswith("PIP_")]
    return [(path, path, False) for path in local_paths(" ".join([*values, *_pip_texts()]))]


def local_paths(text: str) -> list[str]:
    """Return the files and directories that *text* names as paths or ``file://`` addresses.

    The directory above a simple index is taken, since its pages link to files beside it. The
    host's certificates are left out: builds have them at a place of their own.
    """
    found = set()
    for word in re.split(r"[\s=,]+", text):
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path != HOST_CERTIFICATES and _there(path):
            found.add(str(path.parent if path.name == "simple" else path))
    return sorted(found)


def _there(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and len(path.parts) > 1)


def tree_digest(root: Path) -> str:
    """Return a hash over names, modes and contents of all files under *root*."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() or path.is_symlink():
            mode = path.lstat().st_mode & 0o777
            digest.update(f"{path.relative_to(root)}\0{mode:o}\0".encode())
            linked = path.is_symlink()
            digest.update(str(path.readlink()).encode() if linked else path.read_bytes())
    return digest.hexdigest()
