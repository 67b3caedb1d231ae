"""What a run of `--once` came to, counted from the ledger, and whether a human is needed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from connector.store import holds, inbox, ledger, notices, writes
from connector.store.writes import State

NEEDS_HUMAN = ("write refused", "part refused", "not taken", "account paused", "notification failed")
SHOWN = ("fired", "observed", "overtaken", "ended", "written", "notified", "held", *NEEDS_HUMAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of one run. `needs_human` are sentences; empty when all is well."""

    looks: int
    counts: dict[str, int]
    needs_human: tuple[str, ...]

    def lines(self) -> list[str]:
        """The summary for a person."""
        counted = ", ".join(f"{count} {what}" for what, count in self.counts.items()) or "nothing to do"
        return [f"{self.looks} looks: {counted}.", *(f"needs a human: {text}" for text in self.needs_human)]

    def as_json(self) -> dict[str, object]:
        """The same for a program."""
        return asdict(self)


def summarise(connection: Connection, before: int, looks: int, troubled: Sequence[str]) -> Summary:
    """The ledger behind the line `before`, what is of unknown fate, and what was in trouble, in sentences."""
    counts: Counter[str] = Counter()
    said = list(troubled)
    for line in ledger.onward(connection, before):
        if line.what in SHOWN:
            counts[line.what] += 1
        if line.what in NEEDS_HUMAN:
            said.append(f"{line.account}/{line.ticket}: {line.what}: {line.text}")
    said += [
        f"{hold.ref}: held: {hold.why}; `uptier release` lets it go on" for hold in holds.every(connection)
    ]
    apart = holds.every_aside(connection)
    said += [f"{one.name}: set aside: {one.why}" for one in apart]
    looks_apart = {one.name for one in apart if one.kind == holds.LOOK}
    coming = inbox.coming_timers(connection, 1000)
    waiting = [timer for timer in coming if timer.holds and str(timer.ref) not in looks_apart]
    said += [f"{timer.ref}: not done yet, run again: {timer.why}" for timer in waiting]
    unknown = writes.everywhere(connection, State.UNKNOWN)
    said += [f"{kept.write.ref}: the fate of a write is unknown; run again" for kept in unknown]
    said += [
        f"channel {channel}: {many} notifications could not be sent yet; uptier notify test {channel}"
        for (channel, how), many in sorted(notices.counts(connection).items())
        if how == "failing"
    ]
    return Summary(looks=looks, counts=dict(sorted(counts.items())), needs_human=tuple(said))
