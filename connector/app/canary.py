"""Plays the tests of the policies in force, after each change of them and daily: a calendar that ran out, a date that
came, or a change elsewhere shows in them before it shows in tickets."""

import threading
from dataclasses import dataclass

import structlog

from connector.config.settings import play_tests
from policies.language.policy import PolicySet
from policies.policy_tests import PolicyTest

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTest:
    """A test that failed when it was played last: its name, where it stands, and the first difference."""

    name: str
    place: str
    why: str


class Canary:
    """The tests of this process. Any thread may ask what failed; one at a time plays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tests: tuple[PolicyTest, ...] = ()
        self._failed: tuple[FailedTest, ...] = ()

    @property
    def failed(self) -> tuple[FailedTest, ...]:
        """What failed when they were played last."""
        return self._failed

    def take_up(self, tests: tuple[PolicyTest, ...]) -> None:
        """From the next time on, these."""
        self._tests = tests

    def play(self, policies: PolicySet) -> None:
        """Play all of them. One that fails is said once, and again when it passes."""
        with self._lock:
            results = play_tests(self._tests, policies)
            failed = tuple(
                FailedTest(
                    name=each.test.name,
                    place=f"{each.test.file}:{each.test.line}",
                    why=" ".join(each.differences[0].text.split()),
                )
                for each in results
                if not each.passed
            )
            before, self._failed = self._failed, failed
        for one in failed:
            if one not in before:
                log.warning(
                    "policy_test_failed",
                    test=one.name,
                    place=one.place,
                    why=one.why,
                    next="uptier test explains it",
                )
        for one in before:
            if one.place not in {each.place for each in failed}:
                log.warning("policy_test_passes", test=one.name, place=one.place)
