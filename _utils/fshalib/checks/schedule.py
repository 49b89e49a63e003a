"""Jobs of a minion's schedule that Salt would run, or run later, without their arguments.

With ``queue: true`` a state run that meets another one is kept for later. Salt (seen on 3008.3)
keeps the arguments of published jobs only: of a scheduled ``state.apply fsha test=True`` it later
runs a plain ``state.apply``, which is the whole highstate, and not as a test.

Of a job Salt reads ``args`` and ``kwargs`` alone. What ``schedule.add`` calls ``job_kwargs``, or an
argument beside ``function``, it ignores without a word: a test run that is none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

STATE_RUNS = frozenset(
    f"state.{name}" for name in ("apply", "highstate", "sls", "sls_id", "single", "top")
)
_POSITION = {"state.highstate": 1, "state.sls": 3}
"""Where the argument ``queue`` stands when it is given without its name."""


def queued(opts: Mapping[str, Any], pillar: Mapping[str, Any]) -> list[str]:
    """Return the jobs of a minion that run states and may be kept for later, as words.

    opts, pillar
        The minion's options and its pillar, both of which can hold a schedule.
    """
    always = next((one["state_queue"] for one in (opts, pillar) if "state_queue" in one), None)
    return sorted(
        {
            f"{name} ({job['function']})"
            for name, job in _jobs(opts, pillar)
            if job["function"] in STATE_RUNS and _queue(job, always) is True
        }
    )


_ARGUMENTS = frozenset({"arg", "kwarg", "job_args", "job_kwargs"})
"""Keys that look as if Salt read arguments from them."""
_NAMED = frozenset({"mods", "pillar", "queue", "saltenv", "test"})
_CHANGES = ("state.", "fsha.", "pacemaker.")
"""How functions begin that change something if they are no test."""


def unread(opts: Mapping[str, Any], pillar: Mapping[str, Any]) -> list[str]:
    """Return the jobs of a minion with arguments that Salt does not read, as words.

    opts, pillar
        The minion's options and its pillar, both of which can hold a schedule.
    """
    return sorted(
        {
            f"{', '.join(lost)} of {name} ({job['function']})"
            for name, job in _jobs(opts, pillar)
            if str(job["function"]).startswith(_CHANGES)
            and (lost := sorted((_ARGUMENTS | _NAMED) & {*map(str, job)}))
        }
    )


def _jobs(
    opts: Mapping[str, Any], pillar: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for source in (opts, pillar):
        schedule = source.get("schedule")
        if not isinstance(schedule, Mapping) or schedule.get("enabled") is False:
            continue
        for name, job in schedule.items():
            if isinstance(job, Mapping) and "function" in job and job.get("enabled") is not False:
                yield str(name), job


def _queue(job: Mapping[str, Any], always: object) -> object:
    """Return the value of ``queue`` that Salt takes for a job; a number makes it wait: safe."""
    args, kwargs = job.get("args"), job.get("kwargs")
    position = _POSITION.get(str(job["function"]))
    if position is not None and isinstance(args, list) and len(args) > position:
        return args[position]
    given = kwargs.get("queue") if isinstance(kwargs, Mapping) else None
    return always if given is None else given
