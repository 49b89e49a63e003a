"""Where the rows are from which calls are recovered, and what that means for the switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.freeswitch.recovery_db import OWN_STORE
from fshalib.pillar.schema_store import PAIR


@dataclass(frozen=True)
class RecoveryStore:
    """Where the rows are from which calls are recovered."""

    mode: str
    port: int
    keep_megabytes: int | None = None

    @property
    def on_pair(self) -> bool:
        """Whether each node has its own store."""
        return self.mode == PAIR


EXTERNAL = RecoveryStore("external", 0)


def with_store(configuration: Mapping[str, Any], mode: str) -> Mapping[str, Any]:
    """Return the settings of a switch, with the data sources of the node's own store.

    configuration
        ``fsha:freeswitch:configuration``; a data source that it names itself stands.
    mode
        ``fsha:recovery_store:mode``.
    """
    if mode != PAIR:
        return configuration
    profiles = {
        name: _with_source(profile or {}, "odbc_dsn")
        for name, profile in configuration.get("profiles", {}).items()
    }
    return _with_source({**configuration, "profiles": profiles}, "core_db_dsn")


def _with_source(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    named = key in settings or f"{key}_file" in settings
    return settings if named else {**settings, f"{key}_file": OWN_STORE}
