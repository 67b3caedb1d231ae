"""What the console shows of the running policies: in words, as the matrix, as a report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.config.settings import Settings
from connector.console.trying import toml_of
from connector.report.cases import day_asked, period_asked, zone_asked
from connector.report.report import Report, report
from connector.store import accounts
from connector.store.database import Store
from connector.work.context import Rules
from policies.model import Directory, Instant
from policies.present.describe import PolicyWords, describe
from policies.present.matrix import Matrix, known_teams, matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One policy as its page shows it: its words, the mode it has on each account, and as it would be written, without
    what is said in comments."""

    words: PolicyWords
    modes: tuple[tuple[str, str], ...]
    toml: str

    @property
    def observes(self) -> bool:
        """Whether it only observes, wherever it serves."""
        return all(mode == "observe" for _, mode in self.modes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Makes them from the rules in force."""

    store: Store
    settings: Settings
    rules: Callable[[], Rules]

    def policies(self) -> tuple[Shown, ...]:
        """Every policy in plain words."""
        running = self.rules().policies
        return tuple(
            Shown(
                words=describe(policy, running),
                modes=tuple(
                    (account, running.mode(policy, account))
                    for account in self.settings.accounts
                    if policy in running.serving(account)
                ),
                toml=toml_of(policy.text),
            )
            for policy in running.policies
        )

    def levels(self) -> Mapping[tuple[str, str], str]:
        """What each level does, in words, by policy and level."""
        running = self.rules().policies
        return {
            (policy.name, level.name): "; ".join(filter(None, (f"owner {level.owner}", *level.changes)))
            for policy in running.policies
            for level in describe(policy, running).levels
        }

    def matrix(self, team: str | None = None, policy: str | None = None) -> Matrix:
        """The matrix of all accounts; of one team's tickets, or of one policy, if one is named. ValueError for a team
        that is not there."""
        running, known = self.rules().policies, self._directories()
        if team is not None and team not in (there := known_teams(running, tuple(known.values()))):
            raise ValueError(f"there is no team {team}; there are {', '.join(there)}")
        if policy is not None:
            running = replace(
                running, policies=tuple(each for each in running.policies if each.name == policy)
            )
        names = tuple(self.settings.accounts)
        return matrix(running, names, known, self.settings.service.languages, team)

    def teams(self) -> tuple[str, ...]:
        """Every group that a directory or the config names."""
        return known_teams(self.rules().policies, tuple(self._directories().values()))

    def _directories(self) -> Mapping[str, Directory]:
        with self.store.reading() as connection:
            read = {name: accounts.read_directory(connection, name) for name in self.settings.accounts}
        return {name: one.directory for name, one in read.items() if one is not None}

    def days(self, asked: Mapping[str, str], now: Instant, many: int = 30) -> tuple[str, str]:
        """First and last day that are asked for; the last so many days if none are. ValueError for what is no day."""
        today = datetime.fromtimestamp(now, UTC).date()
        first = asked.get("from") or (today - timedelta(days=many - 1)).isoformat()
        last = asked.get("to") or today.isoformat()
        _ = day_asked("from", first), day_asked("to", last)  # said here by the names that an address has
        period_asked(first, last, UTC)
        return first, last

    def report(self, asked: Mapping[str, str], now: Instant) -> Report:
        """The report of the days that are asked for."""
        rules = self.rules()
        business = next(iter(rules.calendars.values())) if len(rules.calendars) == 1 else None
        first, last = self.days(asked, now)
        zone = (
            zone_asked(asked["timezone"]) if asked.get("timezone") else business.timezone if business else UTC
        )
        with self.store.reading() as connection:
            return report(
                connection, period_asked(first, last, zone), rules=rules, now=now, business=business
            )
