"""Plays the tests of the policies in force, after each change of them and daily, and for a policy without one a life
made for it: new holidays, another version of Uptier or a change elsewhere shows in them before it shows in tickets. And
knows when each policy was last evaluated, last matched a ticket and last fired."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import structlog
from sqlalchemy import Connection

from connector.config.settings import made_lives, play_tests
from connector.intake.polling import decided_since
from connector.render import many
from connector.store import accounts, ledger, played
from connector.store.database import Store
from connector.store.played import Kept, Played
from connector.work.budget import LOOKED
from policies.language.policy import PolicySet
from policies.model import Instant
from policies.policy_tests import PolicyTest, told

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTest:
    """A test that failed when it was played last: its name, where it stands, and the first difference."""

    name: str
    place: str
    why: str


MATCHING = ("started",)
FIRING = ("fired", "observed")

Silence = Literal["", "not evaluated", "never matched", "never fired", "not fired since changed"]
"""What looks dead about a policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHealth:
    """When a policy was last evaluated by what it decides now, last matched a ticket, and last fired or would have;
    None where that never was. `changed` is since when it decides so, None where that is not known; `silence` is what
    looks dead about it. `tested` says by what it is played, and is empty before it was."""

    name: str
    evaluated: Instant | None
    matched: Instant | None
    fired: Instant | None
    changed: Instant | None
    silence: Silence
    tested: str = ""

    @property
    def note(self) -> str:
        """What looks dead about it, in words."""
        match self.silence:
            case "not evaluated":
                return "was not evaluated yet"
            case "never matched":
                return "has never matched a ticket"
            case "never fired":
                return "has never fired"
            case "not fired since changed":
                return f"has not fired since it was changed on {day(self.changed or 0)}"
        return ""


def silence_of(
    evaluated: Instant | None, matched: Instant | None, fired: Instant | None, changed: Instant | None
) -> Silence:
    """What looks dead about a policy with these times."""
    if evaluated is None:
        return "not evaluated"
    if matched is None:
        return "never matched"
    if fired is None:
        return "never fired"
    return "not fired since changed" if changed is not None and fired < changed else ""


def day(at: Instant) -> str:
    """The day of an instant."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


# --- what comes of them ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedResult:
    """A test, or a policy's made life, of which something else comes than was accepted: where it stands, what fires
    otherwise, when the other result was accepted, and what changed since as far as that is known."""

    name: str
    place: str
    difference: str
    accepted: Instant
    because: str

    def __str__(self) -> str:
        return f"{self.name}: {self.difference} ({self.because})"


ACCEPT = "uptier test --accept, if it is meant"
NO_CHANGE = "no policy was changed since: holidays, people, calendars or the version of Uptier were"


def results(
    tests: Iterable[PolicyTest], policies: PolicySet, names: Collection[str]
) -> tuple[tuple[Played, ...], tuple[FailedTest, ...]]:
    """What comes of each test, and of a life made for each policy without one, on the accounts of these names; and
    which tests failed."""
    tests = tuple(tests)
    found, failed, met = list[Played](), list[FailedTest](), dict[str, int]()
    for each in play_tests(tests, policies):
        test, place = each.test, f"{each.test.file}:{each.test.line}"
        why = " ".join(each.differences[0].text.split()) if each.differences else ""
        if why:
            failed.append(FailedTest(name=test.name, place=place, why=why))
        number = met[test.name] = met.get(test.name, 0) + 1
        found.append(
            Played(
                kind="test",
                name=test.name if number == 1 else f"{test.name} ({number})",
                policies=test.policies,
                place=place,
                written=test.written,
                found=told(test, each.found),
                why=why,
            )
        )
    for name, life in made_lives(tests, policies, names).items():
        lines = () if life is None else told(life.test, life.found)
        found.append(Played(kind="policy", name=name, policies=(name,), found=lines))
    return tuple(found), tuple(failed)


def changed_results(connection: Connection) -> tuple[ChangedResult, ...]:
    """Of what was played last, all of which something else comes than was accepted."""
    others, since = [each for each in played.every(connection) if each.is_other], decided_since(connection)
    return tuple(_changed(each, since) for each in others)


def failed_tests(connection: Connection) -> tuple[FailedTest, ...]:
    """The tests that failed when any process played them last."""
    every = (each.played for each in played.every(connection))
    return tuple(FailedTest(name=one.name, place=one.place, why=one.why) for one in every if one.why)


def _changed(kept: Kept, since: Mapping[str, Instant]) -> ChangedResult:
    accepted = kept.accepted_at or 0
    later = [name for name in kept.played.policies if since.get(name, 0) > accepted]
    changed = ", ".join(f'"{name}" was changed on {day(since[name])}' for name in later)
    return ChangedResult(
        name=f'{kept.played.kind} "{kept.played.name}"',
        place=kept.played.place,
        difference=kept.difference,
        accepted=accepted,
        because=changed or NO_CHANGE,
    )


def tested_by(kept: Iterable[Kept]) -> Mapping[str, str]:
    """By what each policy is played: its tests, a life made for it, or nothing as it needs a test."""
    every = [each.played for each in kept]
    tests = Counter(name for one in every if one.kind == "test" for name in one.policies)
    made = {one.name: "a made life" if one.found else "needs a test" for one in every if one.kind == "policy"}
    return {**{name: many(count, "test") for name, count in tests.items()}, **made}


class Canary:
    """The tests of this process. Any thread may ask what failed; one at a time plays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tests: tuple[PolicyTest, ...] = ()
        self._failed: tuple[FailedTest, ...] = ()
        self._told: frozenset[tuple[str, str]] = frozenset()
        self.kept_at: Instant | None = None
        """When they were last played and what came of them was kept."""
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
        changed, tested = decided_since(connection), tested_by(played.every(connection))
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
            told_of = (max(times, default=None), matched.get(policy.name), fired.get(policy.name), since)
            found.append(
                PolicyHealth(
                    name=policy.name,
                    evaluated=told_of[0],
                    matched=told_of[1],
                    fired=told_of[2],
                    changed=since,
                    silence=silence_of(*told_of),
                    tested=tested.get(policy.name, ""),
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

    def play(self, policies: PolicySet, names: Collection[str], store: Store, now: Instant) -> None:
        """Play all of them, and what was made for the policies without one, and keep what came of it. What fails or
        fires otherwise than was accepted is said once, and again when it does no longer. Raises StoreTrouble."""
        with self._lock:
            found, failed = results(self._tests, policies, names)
            try:
                with store.writing() as connection:
                    played.keep(connection, found, now)
            finally:  # what failed is told also where it cannot be kept
                before, self._failed = self._failed, failed
                self._say_failed(before)
            self.kept_at = now
            with store.reading() as connection:
                others = changed_results(connection)
            said, self._told = self._told, frozenset((each.name, each.difference) for each in others)
        for each in others:
            if (each.name, each.difference) not in said:
                log.warning(
                    "policy_result_changed",
                    what=each.name,
                    difference=each.difference,
                    because=each.because,
                    next=ACCEPT,
                )

    def _say_failed(self, before: Iterable[FailedTest]) -> None:
        for one in self._failed:
            if one not in before:
                log.warning(
                    "policy_test_failed",
                    test=one.name,
                    place=one.place,
                    why=one.why,
                    next="uptier test explains it",
                )
        for one in before:
            if one.place not in {each.place for each in self._failed}:
                log.warning("policy_test_passes", test=one.name, place=one.place)
