"""What a node's keeper has to know, in a file beside its programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fshalib.errors import StoreError
from fshalib.freeswitch.event_socket import Access
from fshalib.store.client import Local
from fshalib.store.scheme import Side

PATH = "/etc/fsha/recovery_store.json"


@dataclass(frozen=True)
class Config:
    """A node's store for its keeper; there is no secret in it.

    programs, socket, port
        Where this node's server is.
    vips
        The floating addresses: the node that has one serves.
    stamps
        Where the agents note that a profile is active, and when its calls were taken over.
    switch
        How the switch of this node is asked.
    """

    side: Side
    programs: str
    socket: str
    port: int
    vips: tuple[str, ...]
    stamps: str
    switch: Access

    @property
    def local(self) -> Local:
        """The store of this node."""
        return Local(self.programs, self.socket, self.port)

    @property
    def psql(self) -> str:
        """The path of psql."""
        return f"{self.programs}/psql"


def text(config: Config) -> str:
    """Return the text of the file."""
    return json.dumps(asdict(config), indent=2, sort_keys=True) + "\n"


def load(path: str = PATH) -> Config:
    """Return what the file has.

    Raises :class:`errors.StoreError`.
    """
    try:
        data: Mapping[str, Any] = json.loads(Path(path).read_text("utf-8"))
        side = {**data["side"], "peer_addresses": tuple(data["side"]["peer_addresses"])}
        return Config(
            side=Side(**side),
            vips=tuple(data["vips"]),
            switch=Access(**data["switch"]),
            **{name: data[name] for name in ("programs", "socket", "port", "stamps")},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: {error}; state.apply fsha.recovery_store writes it.") from error
