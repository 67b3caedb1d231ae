"""What one escalation runs through, counted while it runs: `make trace`.

Counted are the functions of ours that are called more often by `uptier run --once` with one due ticket than by the same
run with that ticket solved, in all threads. The simulated helpdesk runs in the same process and is left out.

Counted likewise is what one operator in a condition runs through, from the policy file to the matrix; and the files
that name an action, which are those that a new one needs.
"""

import ast
import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

import structlog

from connector.matrix.tables import as_text
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.plan import Follow
from policies.present.explain import explain, traced
from policies.present.matrix import matrix
from tests.connector.each import each
from tests.policies.lives import DIRECTORY, HEAD, Life, policy

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


def beyond(calls: Calls, usual: Calls) -> Calls:
    """What is called more often than usual."""
    return Counter({name: many - usual[name] for name, many in calls.items() if many > usual[name]})


def escalation() -> Calls:
    """What the escalation alone calls."""
    usual = one_round(solved=True)  # first: what is worked out once is by then
    return beyond(one_round(solved=False), usual)


def one_policy(when: str) -> Calls:
    """The calls of a policy on its way: checked, judged on a ticket, explained, and printed in the matrix."""
    calls: Calls = Counter()
    life = Life().customer(0)
    with counting(calls):
        document = read("uptier.toml", HEAD + policy(when=when))
        assert isinstance(document, Document)
        policies = parse([document]).policies
        assert policies is not None
        life.policies = policies
        assert "fires level" in explain(traced(life.look(31)))
        as_text(matrix(policies, ("acme",), {"acme": DIRECTORY}))
    return calls


def operator() -> Calls:
    """What one operator alone calls."""
    usual = 'status = ["new", "open", "pending"]'
    more = f'{usual}\nsubject = {{ contains = "log in" }}'
    one_policy(more)  # what is worked out once is by now
    return beyond(one_policy(more), one_policy(usual))


def naming(action: type[Follow]) -> set[str]:
    """The files that name an action: by its class, by the key of a level, or by the word for it in a table."""
    word = next(each.default for each in fields(action) if each.name == "kind")
    found = set[str]()
    for path in (path for folder in OURS for path in (ROOT / folder).rglob("*.py")):
        inside = path.relative_to(ROOT)
        if any("simulat" in part or part == "contract" for part in inside.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            listed = [*getattr(node, "keys", ()), *getattr(node, "elts", ())]
            names = {getattr(node, part, None) for part in ("id", "name", "attr")}
            words = {*names, getattr(node, "value", None)} if inside.parts[0] == "policies" else set[object]()
            if (
                action.__name__ in names
                or word in words
                or any(getattr(x, "value", None) == word for x in listed)
            ):
                found.add(str(inside))
    return found


def main() -> None:
    """Print the figures, and with `-v` the functions and files."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for what, found in (("one look and its write", escalation()), ("one operator", operator())):
        files = Counter[str]()
        for (file, _), many in found.items():
            files[file] += many
        if "-v" in sys.argv:
            for file, many in sorted(files.items()):
                names = ", ".join(
                    f"{name} {count}" for (of, name), count in sorted(found.items()) if of == file
                )
                sys.stdout.write(f"{file} ({many}): {names}\n")
        sys.stdout.write(f"{what}: {len(files)} files, {len(found)} functions, {sum(found.values())} calls\n")
    places = naming(Follow)
    if "-v" in sys.argv:
        sys.stdout.writelines(f"{file}\n" for file in sorted(places))
    theirs = sum(file.startswith("adapters/") and file.count("/") > 1 for file in places)
    sys.stdout.write(f"one action: {len(places)} files, {theirs} of them of single helpdesks\n")


if __name__ == "__main__":
    main()
