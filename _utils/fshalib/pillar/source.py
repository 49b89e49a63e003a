"""Where a pillar that is asked about comes from: a mapping, or a file of YAML."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fshalib.cib.objects import Object
from fshalib.errors import ArgumentError
from fshalib.pillar import config
from fshalib.schema.report import ConfigError, ConfigErrors

Load = Callable[[str], Any]


def fsha(given: object, load: Load = yaml.safe_load) -> dict[str, Any]:
    """Return the mapping below ``fsha`` of a pillar.

    given
        The pillar, whole or what stands below ``fsha``, or the path of a file with it.
    load
        Reads YAML.

    Raises :class:`errors.ArgumentError` for a file that can't be read, and
    :class:`report.ConfigErrors` for what is no mapping.
    """
    whole = _read(Path(given), load) if isinstance(given, str) else given
    mapping = whole.get("fsha", whole) if isinstance(whole, Mapping) else whole
    if not isinstance(mapping, Mapping):
        raise ConfigErrors([ConfigError("fsha", "a pillar with the key fsha is expected.")])
    return dict(mapping)


def of_minion(pillar: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping below ``fsha`` of a minion's own pillar.

    pillar
        As Salt gives it to a module: a view of a mapping, which is no ``dict`` itself.

    Raises :class:`report.ConfigErrors` when there is no key ``fsha``: what else stands in a
    minion's pillar is not for us to judge.
    """
    return fsha({"fsha": pillar.get("fsha")})


def _read(path: Path, load: Load) -> object:
    try:
        return load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArgumentError(f"{path} can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ArgumentError(f"{path} is no YAML: {reason}.") from error


def objects(wanted: Mapping[str, Any]) -> tuple[Object, ...]:
    """Return the cluster's objects of a pillar.

    wanted
        What stands below ``fsha``; without ``nodes`` only its section ``pacemaker`` is looked at.

    Raises :class:`report.ConfigErrors`.
    """
    if "nodes" in wanted:
        return tuple(config.check(wanted).pacemaker.objects)
    return tuple(config.check_pacemaker(wanted.get("pacemaker") or {}))
