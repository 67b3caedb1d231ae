"""Who is next: the tickets that wait, those under way, and the rules between them. Nothing here blocks."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from policies.model import TicketRef

Lane = OrderedDict[TicketRef, None]
"""Tickets in the order they came; leaving is cheap at the front and in the middle."""

Rests = Callable[[str, bool], bool]


class Line:
    """Tickets in line, by account. Not safe between threads: the engine holds its lock around every call.

    A ticket stands here once. No account has more than `per_account` tickets under way, accounts take turns,
    and back-fill of any account waits while another account has something urgent that may start. `rests` says
    of an account and whether it is urgent that nothing may start there now.
    """

    def __init__(self, per_account: int, rests: Rests = lambda _account, _urgent: False) -> None:
        self._per_account = per_account
        self._rests = rests
        self._urgent: dict[str, Lane] = {}
        self._backfill: dict[str, Lane] = {}
        self._turns: deque[str] = deque()
        self._under_way: Counter[str] = Counter()
        self._running: set[TicketRef] = set()
        self._again: dict[TicketRef, bool] = {}

    def join(self, ref: TicketRef, *, urgent: bool) -> None:
        """Ask for a look; while one is under way, for another after it."""
        if ref in self._running:
            self._again[ref] = urgent or self._again.get(ref, False)
        else:
            self._queue(ref, urgent)

    def offer(self, ref: TicketRef, *, urgent: bool) -> None:
        """Ask for a look, unless one is under way: that one will see to it."""
        if ref not in self._running:
            self._queue(ref, urgent)

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
            self._queue(ref, self._again.pop(ref))

    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._running and self.waiting() == 0

    def waiting(self) -> int:
        """How many tickets are in line."""
        return sum(len(lane) for lanes in (self._urgent, self._backfill) for lane in lanes.values())

    def running(self) -> int:
        """How many tickets are under way."""
        return len(self._running)

    def _queue(self, ref: TicketRef, urgent: bool) -> None:
        if ref.account not in self._urgent:
            self._urgent[ref.account], self._backfill[ref.account] = Lane(), Lane()
            self._turns.append(ref.account)
        if urgent:
            self._backfill[ref.account].pop(ref, None)
            self._urgent[ref.account][ref] = None
        elif ref not in self._urgent[ref.account]:
            self._backfill[ref.account][ref] = None

    def _start(self, account: str, lane: Lane) -> TicketRef:
        ref, _ = lane.popitem(last=False)
        self._running.add(ref)
        self._under_way[account] += 1
        self._turns.remove(account)
        self._turns.append(account)
        return ref
