"""What one escalation runs through, counted while it runs: `make trace`.

Counted are the functions of ours that are called more often by `uptier run --once` with one due ticket than by the same
run with that ticket solved, in all threads. The simulated helpdesk runs in the same process and is left out.
"""

import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

import structlog

from tests.connector.each import each

ROOT = Path(__file__).parents[1]
OURS = ("policies", "adapters", "connector")

Calls = Counter[tuple[str, str]]
"""How often each function was called, by file and name."""


@contextmanager
def counting(calls: Calls) -> Iterator[None]:
    """Count the calls of our functions in every thread begun within the block, and in this one."""
    known: dict[CodeType, tuple[str, str] | None] = {}

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in known:
            known[code] = ours(code)
        if name := known[code]:
            calls[name] += 1

    threading.setprofile_all_threads(called) if sys.version_info >= (3, 12) else threading.setprofile(called)
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def ours(code: CodeType) -> tuple[str, str] | None:
    """The function's file and name; None for what is not ours, is not a function with a name, or is the simulator."""
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT) or code.co_name in (
        "<genexpr>",
        "<listcomp>",
        "<dictcomp>",
        "<setcomp>",
    ):
        return None
    inside = path.relative_to(ROOT)
    played = any("simulat" in part or part.startswith("demo") for part in inside.parts)
    return None if inside.parts[0] not in OURS or played else (str(inside), code.co_qualname)


def one_round(solved: bool) -> Calls:
    """The calls of a round beside a Zendesk with one ticket that is due, or solved."""
    calls: Calls = Counter()
    with TemporaryDirectory(prefix="uptier-trace-") as folder, each("zendesk", Path(folder)) as one:
        one.opened("one")
        if solved:
            one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", status="solved", assignee="Ann")
        one.clock.advance(31 * 60)
        with counting(calls):
            summary = one.round()
        assert summary.counts.get("fired", 0) == (not solved), summary
    return calls


def traced() -> Calls:
    """What the escalation alone calls."""
    quiet = one_round(solved=True)
    return Counter(
        {name: many - quiet[name] for name, many in one_round(solved=False).items() if many > quiet[name]}
    )


def main() -> None:
    """Print the figures, and with `-v` the functions."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = traced()
    files = Counter[str]()
    for (file, _), many in found.items():
        files[file] += many
    if "-v" in sys.argv:
        for file, many in sorted(files.items()):
            names = ", ".join(f"{name} {count}" for (of, name), count in sorted(found.items()) if of == file)
            sys.stdout.write(f"{file} ({many}): {names}\n")
    sys.stdout.write(f"{len(files)} files, {len(found)} functions, {sum(found.values())} calls\n")


if __name__ == "__main__":
    main()
