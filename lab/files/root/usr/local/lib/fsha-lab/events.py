#!/opt/salt/bin/python3
"""Print the master's events as JSON lines until stdin ends. Run on the master as root.

Says ``{"said": "listening"}`` once it has heard a mark of its own, and ``{"said": "end"}`` once it
has heard the mark it sends when stdin ends: in between nothing is missed.
"""

import json
import os
import sys
import threading
import uuid

import salt.config  # type: ignore[import-untyped]
import salt.utils.event  # type: ignore[import-untyped]

MARK = "fsha-lab/mark/"
MARK_SECONDS = 0.2
MARK_TRIES = 100


def say(message: dict[str, object]) -> None:
    """Print one JSON line; what JSON doesn't know becomes text."""
    os.write(1, (json.dumps(message, default=str) + "\n").encode())


def main() -> None:
    """Listen for events whose tag starts with the first argument."""
    prefix = sys.argv[1]
    opts = salt.config.master_config("/etc/salt/master")
    mark = f"{MARK}{uuid.uuid4()}"
    heard = threading.Event()

    def send(kind: str) -> None:
        with salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=False) as sender:
            sender.fire_event({}, f"{mark}/{kind}")

    def announce() -> None:
        for _ in range(MARK_TRIES):
            send("start")
            if heard.wait(MARK_SECONDS):
                break
        sys.stdin.read()
        send("end")

    with salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=True) as bus:
        threading.Thread(target=announce, daemon=True).start()
        for event in bus.iter_events(full=True, auto_reconnect=True):
            tag = event["tag"]
            if tag == f"{mark}/start" and not heard.is_set():
                heard.set()
                say({"said": "listening"})
            elif tag == f"{mark}/end":
                say({"said": "end"})
                return
            elif heard.is_set() and tag.startswith(prefix) and not tag.startswith(MARK):
                say({"event": tag, "data": event["data"]})


main()
