"""Scheduled state runs that Salt would repeat without their arguments."""

import pytest

from fshalib.checks import schedule


def job(function="state.apply", **more):
    return {"function": function, "minutes": 30, **more}


TEST_RUN = job(args=["fsha"], kwargs={"test": True, "queue": True})


@pytest.mark.parametrize("home", ["opts", "pillar"])
def test_a_test_run_that_is_queued(home):
    source = {"schedule": {"fsha": TEST_RUN, "__mine_interval": job("mine.update")}}
    opts, pillar = (source, {}) if home == "opts" else ({}, source)
    assert schedule.queued(opts, pillar) == ["fsha (state.apply)"]


@pytest.mark.parametrize(
    "one",
    [
        job("state.sls", kwargs={"queue": True}),
        job("state.highstate", kwargs={"queue": True}),
        job("state.highstate", args=[True, True]),
        job("state.sls", args=["fsha", True, None, True]),
    ],
)
def test_every_way_to_queue_a_state_run(one):
    assert schedule.queued({"schedule": {"x": one}}, {}) == [f"x ({one['function']})"]


@pytest.mark.parametrize(
    "one",
    [
        job(args=["fsha"], kwargs={"test": True}),
        job(kwargs={"queue": False}),
        # A number makes it wait with its arguments.
        job(kwargs={"queue": 5}),
        job("fsha.check", kwargs={"queue": True}),
        job(kwargs={"queue": True}, enabled=False),
        {"minutes": 5},
        "no job",
    ],
)
def test_what_keeps_its_arguments_or_does_not_run(one):
    assert schedule.queued({"schedule": {"x": one}}, {}) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (job(args=["fsha"], job_kwargs={"test": True}), "job_kwargs of x (state.apply)"),
        (job("state.sls", job_args=["fsha"], test=True), "job_args, test of x (state.sls)"),
        (job("fsha.drill", kwarg={"test": True}), "kwarg of x (fsha.drill)"),
        (job("pacemaker.restore", arg=[3]), "arg of x (pacemaker.restore)"),
    ],
)
def test_arguments_that_salt_does_not_read(one, words):
    assert schedule.unread({}, {"schedule": {"x": one}}) == [words]


@pytest.mark.parametrize(
    "one",
    [TEST_RUN, job("test.ping", job_kwargs={}), job(job_kwargs={"test": True}, enabled=False)],
)
def test_arguments_that_salt_reads(one):
    assert schedule.unread({"schedule": {"x": one}}, {}) == []


def test_a_schedule_that_is_off_or_is_none():
    assert schedule.queued({"schedule": {"enabled": False, "x": TEST_RUN}}, {}) == []
    assert schedule.queued({"schedule": None}, {"schedule": ["x"]}) == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [(job(), ["x (state.apply)"]), (job(kwargs={"queue": False}), [])],
)
def test_the_option_that_queues_all_state_runs(one, expected):
    assert schedule.queued({"state_queue": True, "schedule": {"x": one}}, {}) == expected
