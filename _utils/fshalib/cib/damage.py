r"""Text that Pacemaker before 2.1.8 does not keep as it is.

Measured with 2.1.5 (``crm_xml_escape``, dropped in 2.1.8): behind the first letter that is not
ASCII it escapes nothing any more, so ``& < > "`` break the XML or vanish; and everywhere a tab
becomes blanks, and the end of a line ``\n`` in two letters.
"""

import re

SAFE_SINCE = (2, 1, 8)

_BEHIND = re.compile('[\u0080-\U0010ffff].*?([&<>"])', re.DOTALL)
_BLANK = re.compile(r"[\t\n\r]")
_WORDS = {"\t": "a tab", "\n": "the end of a line", "\r": "the end of a line"}


def damaged(text: str) -> str:
    """Return what of a text gets damaged, in words; ``""`` for none."""
    behind = _BEHIND.search(text)
    if behind is not None:
        # Not the letter: the value may be a secret.
        return f"{behind.group(1)} behind a letter that is not ASCII"
    blank = _BLANK.search(text)
    return "" if blank is None else _WORDS[blank.group()]


def sentence(what: str, version: str) -> str:
    """Return why a text can't be taken, without its place.

    what
        What :func:`damaged` returned.
    version
        The Pacemaker that would damage it.
    """
    return (
        f"a value without {what} is expected: Pacemaker {version} damages that (2.1.8 no longer "
        "does), and each run would write it again."
    )
