"""Stands in for pip: no test installs anything."""


def install(name):
    """Fail as pip does where there is no index."""
    return {"retcode": 1, "stdout": "", "stderr": f"WARNING: retrying\nERROR: no matching {name}\n"}
