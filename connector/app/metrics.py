"""What an operator watches, for Prometheus: `[service] metrics` says where it is served.

Counters begin at 0 with each process. What is told of the ledger is read on from where the last scrape ended, so
that a scrape stays quick however long the ledger is.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from connector.app.canary import PolicyHealth, changed_results, failed_tests
from connector.app.supervision import Ailments
from connector.clock import ClockSkew
from connector.store import accounts, holds, inbox, ledger, notices, writes
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from connector.work.budget import Desk
from policies.model import Instant

LATE = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)


class Metrics:
    """The numbers of one process. `store` is read at each scrape; `policies` tells how each fares."""

    def __init__(
        self,
        store: Store,
        desks: Mapping[str, Desk],
        clock: Callable[[], Instant],
        skews: ClockSkew,
        ailments: Ailments,
        policies: Callable[[Connection], tuple[PolicyHealth, ...]],
    ) -> None:
        self.registry = CollectorRegistry()
        # first, since collectors are asked in this order and it reads the ledger that the counters count
        self.registry.register(_Now(self._catch_up, store, desks, clock, skews, ailments, policies))
        self.webhooks = Counter(
            "uptier_webhooks", "Webhooks by how they were answered.", ["answer"], registry=self.registry
        )
        self._happened = Counter(
            "uptier_ledger_lines",
            "What happened, by the ledger's word: fired, written, write unknown, held and so on.",
            ["account", "what"],
            registry=self.registry,
        )
        self._late = Histogram(
            "uptier_fired_late_seconds",
            "How long after it was due a level was decided.",
            ["account"],
            registry=self.registry,
            buckets=LATE,
        )
        self._store = store
        with store.reading() as connection:
            self._read_to = ledger.newest_id(connection)

    def _catch_up(self, connection: Connection) -> None:
        for line in ledger.onward(connection, self._read_to):
            self._happened.labels(line.account, line.what).inc()
            if line.what == "fired" and "late" in line.data:
                self._late.labels(line.account).observe(line.data["late"])
            self._read_to = line.id or self._read_to


class _Now(Collector):
    """What the database and the budgets say at the moment of a scrape."""

    def __init__(
        self,
        catch_up: Callable[[Connection], None],
        store: Store,
        desks: Mapping[str, Desk],
        clock: Callable[[], Instant],
        skews: ClockSkew,
        ailments: Ailments,
        policies: Callable[[Connection], tuple[PolicyHealth, ...]],
    ) -> None:
        self._skews = skews
        self._policies = policies
        self._ailments = ailments
        self._catch_up = catch_up
        self._store = store
        self._desks = desks
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Nothing in advance: it would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        well = True
        try:
            with self._store.reading() as connection:
                self._catch_up(connection)
                told = tuple(self._counted(connection))
        except StoreTrouble:  # what is known without it is told all the same
            told, well = (), False
        yield from told
        yield GaugeMetricFamily("uptier_database_readable", "1 while the database answers this scrape.", well)
        failing = GaugeMetricFamily(
            "uptier_failing", "How often a thread or job of this process has failed by now.", labels=["what"]
        )
        for one in self._ailments.current():
            failing.add_metric([one.name], one.times)
        yield failing
        yield self._budgets()
        skew = GaugeMetricFamily(
            "uptier_clock_skew_seconds", "The helpdesk's clock minus ours.", labels=["account"]
        )
        for account, seconds in self._skews.seen().items():
            if account:
                skew.add_metric([account], seconds)
        yield skew

    def _counted(self, connection: Connection) -> Iterator[Metric]:
        oldest = inbox.oldest_open(connection)
        age = 0 if oldest is None else max(self._clock() - oldest, 0)
        yield GaugeMetricFamily("uptier_queue_age_seconds", "Age of the oldest news nobody looked at.", age)
        yield GaugeMetricFamily("uptier_queue_length", "News nobody looked at.", inbox.backlog(connection))
        yield GaugeMetricFamily(
            "uptier_timers", "Tickets with a timer.", inbox.outstanding_timers(connection)
        )
        yield GaugeMetricFamily(
            "uptier_held", "Tickets that wait for `uptier release`.", len(holds.every(connection))
        )
        states = GaugeMetricFamily("uptier_writes", "Writes in the database, by state.", labels=["state"])
        for state, count in writes.counts(connection).items():
            states.add_metric([str(state)], count)
        yield states
        told = GaugeMetricFamily(
            "uptier_notifications", "Notifications, by channel and state.", labels=["channel", "state"]
        )
        for (channel, how), count in notices.counts(connection).items():
            told.add_metric([channel, how], count)
        yield told
        apart = GaugeMetricFamily(
            "uptier_set_aside",
            "Tickets, rows and feeds that are set aside, by what they fail in.",
            labels=["account", "kind"],
        )
        for (account, kind), count in Tally(
            (one.account, one.kind) for one in holds.every_aside(connection)
        ).items():
            apart.add_metric([account, kind], count)
        yield apart
        yield from self._policies_told(connection)
        paused = GaugeMetricFamily("uptier_account_paused", "1 while access is lost.", labels=["account"])
        for one in accounts.every(connection):
            paused.add_metric([one.name], one.paused_at is not None)
        yield paused

    def _policies_told(self, connection: Connection) -> Iterator[Metric]:
        name = "uptier_policy_last_{}_timestamp_seconds"
        families = {
            what: GaugeMetricFamily(name.format(what), said, labels=["policy"])
            for what, said in (
                ("evaluated", "When this policy was evaluated last, by what it decides now."),
                ("matched", "When this policy last matched a ticket."),
                ("fired", "When a level of this policy fired last, or would have."),
            )
        }
        silent = GaugeMetricFamily(
            "uptier_policy_silent",
            "1 for a policy that was not evaluated, never matched, never fired, or has not since it was changed.",
            labels=["policy", "why"],
        )
        for one in self._policies(connection):
            for what, family in families.items():
                at = getattr(one, what)
                if at is not None:
                    family.add_metric([one.name], at)
            if one.silence:
                silent.add_metric([one.name, one.silence], 1)
        yield from families.values()
        yield silent
        yield GaugeMetricFamily(
            "uptier_policy_tests_failed",
            "Tests of policies that failed when they were played last.",
            len(failed_tests(connection)),
        )
        yield GaugeMetricFamily(
            "uptier_policy_results_changed",
            "Tests and made lives of policies of which something else comes than was accepted.",
            len(changed_results(connection)),
        )

    def _budgets(self) -> Metric:
        left = GaugeMetricFamily(
            "uptier_budget_remaining",
            "Requests the helpdesk says are left in this window.",
            labels=["account", "bucket"],
        )
        for desk in self._desks.values():
            for limit in desk.budget.told():
                left.add_metric([desk.name, limit.bucket], limit.remaining)
        return left
