"""Plays the tests of the policies in force, after each change of them and daily: a calendar that ran out, a date that
came, or a change elsewhere shows in them before it shows in tickets. And knows when each policy was last evaluated,
last matched a ticket and last fired."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from connector.config.settings import play_tests
from connector.intake.polling import decided_since
from connector.store import accounts, ledger
from connector.work.budget import LOOKED
from policies.language.policy import PolicySet
from policies.model import Instant
from policies.policy_tests import PolicyTest

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTest:
    """A test that failed when it was played last: its name, where it stands, and the first difference."""

    name: str
    place: str
    why: str


MATCHING = ("started",)
FIRING = ("fired", "observed")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHealth:
    """When a policy was last evaluated by what it decides now, last matched a ticket, and last fired or would have;
    None where that never was. `changed` is since when it decides so, None where that is not known; `note` says what
    looks dead, and is empty where nothing does."""

    name: str
    evaluated: Instant | None
    matched: Instant | None
    fired: Instant | None
    changed: Instant | None
    note: str


def noted(
    evaluated: Instant | None, matched: Instant | None, fired: Instant | None, changed: Instant | None
) -> str:
    """What looks dead about a policy with these times."""
    if evaluated is None:
        return "was not evaluated yet"
    if matched is None:
        return "has never matched a ticket"
    if fired is None:
        return "has never fired"
    if changed is not None and fired < changed:
        return f"has not fired since it was changed on {datetime.fromtimestamp(changed, UTC):%Y-%m-%d}"
    return ""


class Canary:
    """The tests of this process. Any thread may ask what failed; one at a time plays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tests: tuple[PolicyTest, ...] = ()
        self._failed: tuple[FailedTest, ...] = ()
        self._reading = threading.Lock()
        self._read_to: int | None = None
        self._last: dict[tuple[str, ...], dict[str, Instant]] = {MATCHING: {}, FIRING: {}}

    def health_of(
        self, connection: Connection, policies: PolicySet, names: Iterable[str]
    ) -> tuple[PolicyHealth, ...]:
        """How each policy fares on the accounts of these names. The ledger is read on from where this was asked last,
        so that it stays quick however long the ledger is."""
        matched, fired = self._catch_up(connection)
        looked = {name: accounts.cursor_updated(connection, name, LOOKED) for name in names}
        first = {name: accounts.first_runs(connection, name) for name in looked}
        changed = decided_since(connection)
        found = []
        for policy in policies.policies:
            since = changed.get(policy.name)
            times = [
                at
                for name, at in looked.items()
                if at is not None
                and policy in policies.serving(name)
                and at >= max(first[name].get(policy.name, at + 1), since or 0)
            ]
            evaluated = max(times, default=None)
            told = (evaluated, matched.get(policy.name), fired.get(policy.name), since)
            found.append(
                PolicyHealth(
                    name=policy.name,
                    evaluated=told[0],
                    matched=told[1],
                    fired=told[2],
                    changed=told[3],
                    note=noted(*told),
                )
            )
        return tuple(found)

    def _catch_up(self, connection: Connection) -> tuple[Mapping[str, Instant], Mapping[str, Instant]]:
        """When each policy last matched and last fired."""
        with self._reading:
            if self._read_to is None:
                self._read_to = ledger.newest_id(connection)
                for what in self._last:
                    self._last[what] = ledger.last_of_policies(connection, what)
            for line in ledger.onward(connection, self._read_to):
                for what, last in self._last.items():
                    if line.what in what:
                        last[line.policy] = max(line.at, last.get(line.policy, 0))
                self._read_to = line.id or self._read_to
            return dict(self._last[MATCHING]), dict(self._last[FIRING])

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
