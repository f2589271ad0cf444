"""``on_pressure`` where the kernel really limits memory: in a control group made for the test."""

import os
import pathlib
import signal
import time

import pytest
from deadweight import _limits
from test_pressure import finish, last_survey, lines, start

LIMIT = 128 << 20
# Where groups can be made, what a limit is called there, and what else must be written: without it a group that is
# full goes on in swap.
VERSION_1 = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", ("memory.swappiness", "0"))
VERSION_2 = ("/sys/fs/cgroup", "memory.max", ("memory.swap.max", "0"))


@pytest.fixture
def group():
    """A control group whose members may use so many bytes."""
    version_1 = os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")
    base, limit, (swap, never) = VERSION_1 if version_1 else VERSION_2
    folder = pathlib.Path(base, f"deadweight-test-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        try:
            (folder / limit).write_text(str(LIMIT))
        except OSError as error:
            pytest.skip(f"no control group with a limit can be made here: {error}")
        if (folder / swap).exists():
            (folder / swap).write_text(never)
        yield folder
    finally:
        # The last member is gone a moment after its parent was told.
        end = time.monotonic() + 30
        while (folder / "cgroup.procs").read_text() and time.monotonic() < end:
            time.sleep(0.02)
        folder.rmdir()


def start_in(group, tmp_path, code):
    # "0" is who writes it.
    return start(tmp_path, code, preexec_fn=lambda: (group / "cgroup.procs").write_text("0"))


def most_used(group):
    for name in ("memory.max_usage_in_bytes", "memory.peak"):
        if (group / name).exists():
            return int((group / name).read_text())
    pytest.skip("this kernel does not say what a control group used at most")


def test_a_part_is_of_the_control_groups_limit(tmp_path, group):
    program = start_in(
        group,
        tmp_path,
        """
        watch = dw.on_pressure(limit="60%", path=path, interval=0.05)
        time.sleep(0.3)
        assert watch.files == []
        while not watch.files:
            fill(2000)
            time.sleep(0.001)
        """,
    )
    finish(program)
    first = lines(tmp_path / "pressure.jsonl")[0]
    assert first["reason"] == "limit"
    assert first["cgroup_limit_bytes"] == LIMIT
    assert 0.6 * LIMIT <= first["cgroup_used_bytes"] <= most_used(group) <= LIMIT
    survey = last_survey(tmp_path / "pressure.jsonl")
    holders = {row["path"]: row for row in survey["holders"]}
    assert holders["__main__.SERVICE.cache"]["held_bytes"] > 0.9 * survey["held_bytes"]


def test_a_program_that_the_kernel_kills_has_said_who_holds_what(tmp_path, group):
    program = start_in(
        group,
        tmp_path,
        """
        dw.on_pressure(limit="70%", path=path, interval=0.05)
        while True:
            fill(500)
            time.sleep(0.001)
        """,
    )
    finish(program, status=-signal.SIGKILL)
    survey = last_survey(tmp_path / "pressure.jsonl")
    assert survey["complete"]
    holders = {row["path"]: row for row in survey["holders"]}
    assert holders["__main__.SERVICE.cache"]["held_bytes"] > 0.4 * LIMIT


@pytest.mark.skipif(_limits.pressure_now() is None, reason="this kernel does not tell of waiting")
def test_waiting_for_memory_is_a_reason(tmp_path, group):
    """A program that changes more of a file than its group may keep, again and again."""
    large = tmp_path / "large"
    large.write_bytes(bytes(2 * LIMIT))
    program = start_in(
        group,
        tmp_path,
        f"""
        import mmap, re
        def waiting():
            with open("/proc/pressure/memory") as file:
                return float(re.search("some avg10=([0-9.]+)", file.read())[1])
        block = bytes(range(256)) * {LIMIT * 6 // 10 // 256}
        end = time.monotonic() + 40
        reached = 0
        watch = dw.on_pressure(limit="1 TB", psi=0.02, path=path, interval=0.05)
        with open({str(large)!r}, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
            while not watch.files and time.monotonic() < end:
                for at in range(0, len(view), 4096):
                    view[at] = at >> 12 & 255
                reached = max(reached, waiting())
        print(len(watch.files), reached)
        """,
    )
    out, _ = finish(program)
    files, reached = out.split()
    if float(reached) < 0.02 and files == "0":
        pytest.skip("the kernel of this machine does not make tasks wait for memory")
    first = lines(tmp_path / "pressure.jsonl")[0]
    assert first["reason"] == "psi"
    assert 0.02 <= first["psi_some_avg10"] <= 100
