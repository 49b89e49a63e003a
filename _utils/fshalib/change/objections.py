"""What speaks against a run on this host beside the calls, known before anything is touched.

The commit needs FreeSWITCH's configuration to be in place. So a configuration that could not be
written, or would not be sound, refuses the whole run, and not only its own state.
"""

import os
from pathlib import Path

from fshalib.errors import RunError
from fshalib.freeswitch import config, config_files
from fshalib.freeswitch.config_files import USUAL, ConfigFiles
from fshalib.freeswitch.preprocessor import SwitchConfError
from fshalib.pillar.config import FreeSwitch

INSTALLED_BY_THE_RUN = frozenset({"package", "repository"})
"""The methods of ``fsha:freeswitch:install`` that bring a configuration along."""


def switch_configuration(freeswitch: FreeSwitch) -> tuple[str, ...]:
    """Return why FreeSWITCH's configuration can't become what the pillar wants; empty if it can.

    freeswitch
        The pillar's section.
    """
    try:
        plans = planned(freeswitch)
    except (SwitchConfError, RunError) as error:
        return (str(error),)
    return tuple(reason for files in plans for reason in _unwritable(files))


def planned(freeswitch: FreeSwitch) -> list[ConfigFiles]:
    """Return what a run would write into FreeSWITCH's configuration, or remove from it.

    Raises :class:`preprocessor.SwitchConfError` and :class:`errors.RunError`.
    """
    if not freeswitch.configuration:
        return [config_files.remains(directory) for directory in config_files.noted()]
    directory = Path(freeswitch.configuration.get("directory", USUAL))
    method = (freeswitch.install or {}).get("method")
    if method in INSTALLED_BY_THE_RUN and not (directory / config.ROOT).exists():
        return []
    data, service = freeswitch.configuration, freeswitch.service
    return [config_files.planned(data, directory, service, ahead=True)]


def _unwritable(files: ConfigFiles) -> list[str]:
    """Return which of the files can't be written, since their file system is read-only."""
    if not files.changes():
        return []
    folders = dict.fromkeys(_existing(path.parent) for path in files.new)
    return [f"{folder} can't be written to" for folder in folders if not os.access(folder, os.W_OK)]


def _existing(folder: Path) -> Path:
    """Return a folder, or the one above it in which it has to be made."""
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)
