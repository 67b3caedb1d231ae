"""How far each helpdesk's clock is from ours. Signed webhooks are refused beyond five minutes."""

import structlog

from policies.model import Seconds

TELLING: Seconds = 60

log = structlog.get_logger()


class Skews:
    """The last difference seen of each account, theirs minus ours. Any thread may use it."""

    def __init__(self) -> None:
        self._seen: dict[str, Seconds] = {}

    def note(self, account: str, skew: Seconds) -> None:
        """Keep it, and say when it becomes more than a minute or no longer is."""
        before = abs(self._seen.get(account, 0)) > TELLING
        self._seen[account] = skew
        if abs(skew) > TELLING and not before:
            log.warning("clock_skew", account=account, seconds=skew, next="set this machine's clock by NTP")
        elif before and abs(skew) <= TELLING:
            log.info("clock_skew_over", account=account, seconds=skew)

    def seen(self) -> dict[str, Seconds]:
        """By account."""
        return dict(self._seen)
