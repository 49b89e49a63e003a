"""Stands in for pip: no test installs anything."""

# In the order of pip 25.2: the cause first, then what pip calls it, then advice.
SAID = """\
WARNING: Retrying after connection broken by 'E('<X at 0x1>: no index')': /simple/lxml/
WARNING: Retrying after connection broken by 'E('<X at 0x2>: no index')': /simple/lxml/
      Error: install libxml2's headers
error: subprocess-exited-with-error

note: This error originates from a subprocess, and is likely not a problem with pip.
"""


def install(name):
    """Fail as pip does where there is no index."""
    if name == "lxml-elsewhere":
        return {"retcode": 0, "stdout": f"Successfully installed {name}", "stderr": ""}
    return {"retcode": 1, "stdout": "", "stderr": SAID}
