from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml import processes

ROOT = Path(__file__).resolve().parent.parent.parent
PARENT = """
import os, time
from ml import processes

if __name__ == "__main__":
    pool = processes.start(2)
    found = set()
    while len(found) < 2:
        found |= set(pool.map(work, range(20)))
    print(*found, flush=True)
    time.sleep(600)
"""
WORK = "def work(number):\n    import os, time\n    time.sleep(0.05)\n    return os.getpid()\n"


def _prepare(name: str) -> None:
    os.environ["PREPARED"] = name


def _prepared(_: int) -> str:
    return os.environ["PREPARED"]


def test_each_process_is_prepared_before_it_works() -> None:
    pool = processes.start(2, _prepare, "yes")

    assert set(pool.map(_prepared, range(8))) == {"yes"}
    pool.shutdown()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_the_processes_of_a_killed_parent_end(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(WORK + PARENT, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, str(program)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    end = time.monotonic() + 30
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < end, "A process outlives its parent."
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # one that has ended may wait to be buried
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
