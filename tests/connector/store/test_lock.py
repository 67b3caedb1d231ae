"""One engine a database file, also across processes, and no lock outlives its process."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connector.store.sqlite import AlreadyRunning, only_engine

HOLD = """
import sys
from pathlib import Path
from connector.store.sqlite import only_engine
with only_engine(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_engine_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    path = tmp_path / "uptier.db"
    with only_engine(path), pytest.raises(AlreadyRunning, match="stop it first"), only_engine(path):
        pass
    with only_engine(path):
        assert stat.S_IMODE((tmp_path / "uptier.db.lock").stat().st_mode) == 0o600


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "uptier.db"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"process {other.pid}"), only_engine(path):
            pass
        other.kill()
        other.wait(10)
        with only_engine(path):
            pass
