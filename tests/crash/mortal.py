"""Real processes that may die at any moment. Each is forked from one that has read the product's code already and done
nothing else, so that a death costs no start of an interpreter."""

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.connector.each import DESKS

READ_BEFORE = (
    "tests.crash.child",
    "tests.crash.applying",
    "tests.crash.undoing",
    *(f"adapters.{vendor}.adapter" for vendor in DESKS),
)

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(READ_BEFORE))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, or minus the signal that killed it, and what it printed on either stream."""

    returncode: int
    stdout: str


class Mortal:
    """A process that calls `main` with these words, in this environment."""

    def __init__(
        self, main: Callable[..., None], words: tuple[object, ...], environment: Mapping[str, str]
    ) -> None:
        with NamedTemporaryFile(prefix="uptier-mortal-", delete=False) as printed:
            self._printed = Path(printed.name)
        self._process = _forks.Process(
            target=_live, args=(main, words, dict(environment), self._printed), daemon=True
        )
        self._process.start()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def end(self, patience: float) -> Ended:
        """Wait for its end. TimeoutError if it outlives `patience` seconds; it is killed then."""
        self._process.join(patience)
        code = self._process.exitcode
        if code is None:
            self.kill()
            self._process.join()
        said = self._printed.read_text(encoding="utf-8")
        self._printed.unlink()
        self._process.close()
        if code is None:
            raise TimeoutError(f"still alive after {patience} s; it printed {said}")
        return Ended(code, said)


def _live(
    main: Callable[..., None], words: tuple[object, ...], environment: dict[str, str], printed: Path
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with printed.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        main(*words)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        raise
    finally:
        sys.stdout.flush()
