"""Replace a file in one step: its readers see the old content or the new, never half of it."""

import os
import tempfile
from pathlib import Path


def read(path: Path) -> bytes | None:
    """Return a file's content, or ``None`` where there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def mode(path: Path) -> int | None:
    """Return a file's permission bits, or ``None`` where there is no such file."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None


def changed_at(path: Path) -> float | None:
    """Return when a file's content was last changed (epoch, seconds), or ``None``."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def owner(path: Path) -> tuple[int, int] | None:
    """Return a file's user and group number, or ``None`` where there is no such file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_uid, status.st_gid


def replace(
    path: Path, content: bytes, permissions: int, owned_by: tuple[int, int] | None = None
) -> None:
    """Write a file through a temporary one beside it; a symbolic link keeps its place.

    path
        The file; missing parent directories are made (0755).
    content
        All of its bytes.
    permissions
        Its mode.
    owned_by
        Its user and group number; without them those of the existing file are kept.

    Raises :class:`OSError`.
    """
    target = path.resolve()
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), permissions)
            ids = owned_by or owner(target)
            if ids:
                os.fchown(stream.fileno(), *ids)
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def restrict(path: Path, permissions: int, owned_by: tuple[int, int]) -> None:
    """Give a file its mode and owner, and leave its content and its time alone.

    Raises :class:`OSError`.
    """
    path.chmod(permissions)
    os.chown(path, *owned_by)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
