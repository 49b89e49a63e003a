"""Check that the installed Pacemaker keeps every value of a pillar as it is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fshalib.cib import damage
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import in_pillar
from fshalib.cib.objects import Object
from fshalib.pacemaker import version as pacemaker_version
from fshalib.pillar.config import Config
from fshalib.schema.report import ConfigError, ConfigErrors, Keys, path


def check(config: Config, version: Callable[[], str]) -> None:
    """Check every value that goes to the CIB.

    version
        Returns the Pacemaker that will keep it, ``""`` if that is not known; nothing is refused
        then. Asked only where it matters.

    Raises :class:`ConfigErrors`, and what ``version`` raises.
    """
    bad = [
        (keys, what)
        for item in config.pacemaker.objects
        for keys, text in _values(item)
        if (what := damage.damaged(text))
    ]
    known = version() if bad else ""
    if pacemaker_version.older(known, damage.SAFE_SINCE):
        raise ConfigErrors(
            ConfigError(path(("pacemaker", *keys)), damage.sentence(what, known))
            for keys, what in bad
        )


def _values(item: Object) -> Iterator[tuple[Keys, str]]:
    kind, spec = KINDS[item.kind], in_pillar(item.spec)
    if kind.one:
        yield from _texts(spec.get("sets", {}), (kind.key,))
    else:
        yield from _texts(spec, (kind.key, item.id))


def _texts(data: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(data, str):
        yield keys, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts(value, (*keys, str(key)))
    elif isinstance(data, (list, tuple)):
        for number, value in enumerate(data):
            yield from _texts(value, (*keys, number))
