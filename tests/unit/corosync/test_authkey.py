"""The authkey."""

import base64

import pytest

from fshalib.corosync import authkey

KEY = bytes(range(256))


class TestKey:
    def test_base64_with_line_breaks_is_taken(self):
        assert authkey.decode(base64.encodebytes(KEY).decode()) == KEY

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("%%%", "Base64"),
            (base64.b64encode(KEY[:127]).decode(), "127 bytes"),
            (base64.b64encode(KEY * 17).decode(), "4352 bytes"),
            (base64.b64encode(b"changeme" * 20).decode(), "not random"),
            ("ü", "Base64"),
        ],
    )
    def test_a_weak_key_is_refused_and_never_told(self, text, word):
        with pytest.raises(authkey.AuthkeyError, match=word) as caught:
            authkey.decode(text)
        assert text not in str(caught.value)

    def test_the_shortest_and_the_longest_are_taken(self):
        assert len(authkey.check(KEY[:128])) == 128
        assert len(authkey.check(KEY * 16)) == 4096
