"""What an account's own settings say, whichever the helpdesk."""

from adapters.base import Account
from policies.model import Status


def test_a_status_counts_as_the_account_says_by_number_first_and_by_label_whatever_its_capitals() -> None:
    said = {"9": Status.CLOSED, "On Hold": Status.ON_HOLD, "Warten auf Kunden": Status.PENDING}
    account = Account(name="acme", url="https://acme.test", auth={}, webhook={}, secret=str, statuses=said)
    assert account.counts_as("9", "on hold") is Status.CLOSED
    assert account.counts_as("6", "ON HOLD") is Status.ON_HOLD
    assert account.counts_as("6", "warten auf kunden") is Status.PENDING
    assert account.counts_as("6", "Waiting on Customer") is None
