"""A port that somebody listens on, and one that is free."""

import socket

from fshalib.system import tcp


def test_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert tcp.listens("127.0.0.1", port) is True
    assert tcp.listens("127.0.0.1", port) is False
    assert tcp.listens("host.invalid", 4506, 0.5) is False


def test_a_master_that_may_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert tcp.may_answer(uri) is True
    assert tcp.may_answer(uri) is False
    for unknown in ("", "tcp://salt", "ipc:///run/salt", "tcp://salt:port"):
        assert tcp.may_answer(unknown) is True
