"""Who is next: the tickets that wait, those under way, and the rules between them. Nothing here blocks."""

from collections import Counter, deque
from collections.abc import Callable
from heapq import heappop, heappush

from policies.model import Instant, TicketRef

Rests = Callable[[str, bool], bool]


class Lane:
    """Tickets of one account by when they are due; of those due at once, by when they came."""

    def __init__(self) -> None:
        self._due: dict[TicketRef, tuple[Instant, int]] = {}
        self._heap: list[tuple[Instant, int, TicketRef]] = []
        self._came = 0

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, ref: TicketRef) -> bool:
        return ref in self._due

    def put(self, ref: TicketRef, due: Instant) -> None:
        """Let it wait here. One that does already keeps its place, unless it is due earlier than was known."""
        if ref in self._due and self._due[ref][0] <= due:
            return
        self._came += 1
        self._due[ref] = due, self._came
        heappush(self._heap, (due, self._came, ref))

    def drop(self, ref: TicketRef) -> Instant | None:
        """It does not wait here any more; since when it was due, if it did."""
        known = self._due.pop(ref, None)
        return None if known is None else known[0]

    def pop(self) -> TicketRef:
        """The one that has been due longest."""
        while True:
            due, came, ref = heappop(self._heap)
            if self._due.get(ref) == (due, came):
                del self._due[ref]
                return ref


class Line:
    """Tickets in line, by account. Not safe between threads: the engine holds its lock around every call.

    A ticket stands here once; the longest overdue is the first. No account has more than `per_account` tickets under
    way, accounts take turns, and back-fill of any account waits while another account has something urgent that may
    start. `rests` says of an account and whether it is urgent that nothing may start there now.
    """

    def __init__(self, per_account: int, rests: Rests = lambda _account, _urgent: False) -> None:
        self._per_account = per_account
        self._rests = rests
        self._urgent: dict[str, Lane] = {}
        self._backfill: dict[str, Lane] = {}
        self._turns: deque[str] = deque()
        self._under_way: Counter[str] = Counter()
        self._running: set[TicketRef] = set()
        self._again: dict[TicketRef, tuple[bool, Instant]] = {}

    def join(self, ref: TicketRef, *, urgent: bool, due: Instant = 0) -> None:
        """Ask for a look; while one is under way, for another after it."""
        if ref in self._running:
            before = self._again.get(ref, (urgent, due))
            self._again[ref] = urgent or before[0], min(due, before[1])
        else:
            self._queue(ref, urgent, due)

    def offer(self, ref: TicketRef, *, urgent: bool, due: Instant = 0) -> None:
        """Ask for a look, unless one is under way: that one will see to it."""
        if ref not in self._running:
            self._queue(ref, urgent, due)

    def take(self) -> TicketRef | None:
        """The next ticket, which then is under way; None when nothing may start now."""
        for urgent, lanes in ((True, self._urgent), (False, self._backfill)):
            for account in self._turns:
                if lanes[account] and self._may_start(account, urgent):
                    return self._start(account, lanes[account])
        return None

    def _may_start(self, account: str, urgent: bool) -> bool:
        return self._under_way[account] < self._per_account and not self._rests(account, urgent)

    def done(self, ref: TicketRef) -> None:
        """The look at this ticket is over."""
        self._running.remove(ref)
        self._under_way[ref.account] -= 1
        if ref in self._again:
            self._queue(ref, *self._again.pop(ref))

    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._running and self.waiting() == 0

    def waiting(self) -> int:
        """How many tickets are in line."""
        return sum(len(lane) for lanes in (self._urgent, self._backfill) for lane in lanes.values())

    def running(self) -> int:
        """How many tickets are under way."""
        return len(self._running)

    def _queue(self, ref: TicketRef, urgent: bool, due: Instant) -> None:
        if ref.account not in self._urgent:
            self._urgent[ref.account], self._backfill[ref.account] = Lane(), Lane()
            self._turns.append(ref.account)
        if urgent:
            known = self._backfill[ref.account].drop(ref)
            self._urgent[ref.account].put(ref, due if known is None else min(due, known))
        elif ref not in self._urgent[ref.account]:
            self._backfill[ref.account].put(ref, due)

    def _start(self, account: str, lane: Lane) -> TicketRef:
        ref = lane.pop()
        self._running.add(ref)
        self._under_way[account] += 1
        self._turns.remove(account)
        self._turns.append(account)
        return ref
