"""What deciding costs, against a bare Python loop in the same run. Ratios are asserted, times only printed.

Not named test_: `make test` runs it on its own, without coverage, which would be measured too.
"""

import time
from collections.abc import Callable

import pytest

from policies.evaluate import could_matter, evaluate
from policies.rules.observe import judged
from tests.policies.lives import LADDER, Life, at

MANY = 200
ROUNDS = 7
REFUSED = LADDER.replace('status = ["new", "open"]', 'type = "incident"\nstatus = ["new", "open"]')


def best(work: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds: what else the machine does only adds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def loop_step() -> float:
    """One step of a bare loop, in seconds."""
    steps = 200_000

    def bare() -> int:
        total = 0
        for step in range(steps):
            total += step
        return total

    return best(bare) / steps


def test_a_policy_refused_by_its_first_line_costs_under_twenty_loop_steps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    life = Life("".join(REFUSED.replace('"p"', f'"p{n}"') for n in range(MANY))).customer(0)
    each = best(lambda: could_matter(life.ticket, life.policies, ())) / MANY
    step = loop_step()
    with capsys.disabled():
        print(f"\nrefused by its first line: {each * 1e9:.0f} ns, {each / step:.1f} loop steps")  # noqa: T201
    assert each < 20 * step


def test_the_cost_of_judging_with_its_trace_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    life = Life(REFUSED).customer(0)
    (policy,) = life.policies.policies
    each = best(lambda: [judged(policy, life.ticket) for _ in range(MANY)]) / MANY
    step = loop_step()
    with capsys.disabled():
        print(f"\nthree lines judged, with trace: {each * 1e6:.1f} us, {1 / each:,.0f} a second")  # noqa: T201
    assert each < 1_000 * step


def test_the_full_cost_with_trace_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    life = Life("".join(REFUSED.replace('"p"', f'"p{n}"') for n in range(MANY))).customer(0)
    inputs = (life.ticket, life.policies, (), life.directory, life.calendars, at(1))
    each = best(lambda: evaluate(*inputs)) / MANY
    step = loop_step()
    with capsys.disabled():
        print(f"\njudged in full, with trace: {each * 1e6:.1f} us, {1 / each:,.0f} a second")  # noqa: T201
    assert each < 5_000 * step
