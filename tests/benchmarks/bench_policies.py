"""What deciding costs, against a bare Python loop in the same run. Ratios are asserted, times only printed.

Not named test_: `make test` runs it on its own, without coverage, which would be measured too.
"""

import time
from collections.abc import Callable

import pytest

from policies.evaluate import could_matter, evaluate
from policies.present.explain import traced
from policies.rules.judgement import judged_line
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


def test_the_cost_of_judging_with_what_is_kept_of_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    life = Life(REFUSED).customer(0)
    (policy,) = life.policies.policies
    lines = policy.when.lines
    each = best(lambda: [judged_line(line, life.ticket) for _ in range(MANY) for line in lines]) / MANY
    step = loop_step()
    with capsys.disabled():
        print(f"\nthree lines judged, as kept: {each * 1e6:.1f} us, {1 / each:,.0f} a second")  # noqa: T201
    assert each < 1_000 * step


def test_a_policy_that_does_not_match_costs_little(capsys: pytest.CaptureFixture[str]) -> None:
    life = Life("".join(REFUSED.replace('"p"', f'"p{n}"') for n in range(MANY))).customer(0)
    inputs = (life.ticket, life.policies, (), life.directory, life.calendars, at(1))
    each = best(lambda: evaluate(*inputs)) / MANY
    step = loop_step()
    with capsys.disabled():
        print(f"\nevaluated and refused: {each * 1e6:.1f} us, {1 / each:,.0f} a second")  # noqa: T201
    assert each < 1_500 * step


def test_deciding_costs_less_than_saying_all_that_was_considered(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty policies, of which one in five matches; remembered from the look before."""
    texts = (LADDER if n % 5 == 0 else REFUSED for n in range(20))
    life = Life("".join(text.replace('"p"', f'"p{n}"') for n, text in enumerate(texts))).customer(0)
    life.look(1)
    inputs = (life.ticket, life.policies, life.standings, life.directory, life.calendars, at(2))
    decided, said = best(lambda: evaluate(*inputs)), best(lambda: traced(evaluate(*inputs)))
    with capsys.disabled():
        print(f"\ntwenty policies: {decided * 1e6:.0f} us, with a trace {said * 1e6:.0f} us")  # noqa: T201
    assert decided < 0.6 * said
