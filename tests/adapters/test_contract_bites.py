"""Each test of the contract fails for an adapter with the fault that it is there for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.base import (
    AccessLost,
    Event,
    Gone,
    HelpdeskError,
    HookRequest,
    Malformed,
    NotAuthentic,
    OutcomeUnknown,
    Page,
    Prepared,
    Receipt,
    Stale,
    TryLater,
    WontAccept,
    Write,
)
from adapters.contract import Contract
from adapters.contract.sandbox import RecordingGate
from policies.model import Directory, Instant, Need, Priority, Ticket, TicketRef, Who
from policies.plan import PutBackPriority
from tests.adapters.sandboxes import ZendeskSandbox
from tests.adapters.zendesk.world import world


class Wrong:
    """An adapter that does everything right; each kind below gets one thing wrong."""

    def __init__(self, right: Any, sandbox: ZendeskSandbox) -> None:
        self.right = right
        self.sandbox = sandbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)


class PassesTheGateBy(Wrong):
    def __init__(self, right: Any, sandbox: ZendeskSandbox) -> None:
        super().__init__(right, sandbox)
        sandbox.world.gate = RecordingGate()


class TellsNobodyOfA429(Wrong):
    def __init__(self, right: Any, sandbox: ZendeskSandbox) -> None:
        super().__init__(right, sandbox)
        sandbox.world.gate.hold = lambda *_: None  # type: ignore[method-assign]


class ForgetsTheWait(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        try:
            loaded: Ticket = self.right.load(ref, needs)
        except TryLater as error:
            raise TryLater(str(error), 0) from error
        return loaded


class BeginsNow(Wrong):
    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        page: Page = self.right.poll(cursor, since=max(since, self.sandbox.now()), limit=limit)
        return page


class BeginsAgain(Wrong):
    def poll(self, _cursor: str | None, *, since: Instant, limit: int) -> Page:
        page: Page = self.right.poll(None, since=since, limit=limit)
        return page


class LosesTheLastOfAPage(Wrong):
    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        page: Page = self.right.poll(cursor, since=since, limit=limit)
        return replace(page, tickets=page.tickets[:-1] if page.more else page.tickets)


class TakesAnOutageForNothingNew(Wrong):
    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        try:
            page: Page = self.right.poll(cursor, since=since, limit=limit)
        except TryLater:
            return Page(tickets=(), cursor="", more=False)
        return page


class ReadsOnePageOfTheCensus(Wrong):
    def census(self, cursor: str | None) -> Page:
        return replace(self.right.census(cursor), more=False)


class ListsTwice(Wrong):
    def census(self, cursor: str | None) -> Page:
        page: Page = self.right.census(cursor)
        return replace(page, tickets=(*page.tickets, *page.tickets[:1]))


class ReadsOnePageOfMessages(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        loaded: Ticket = self.right.load(ref, needs)
        return replace(loaded, messages=loaded.messages[:100])


class TakesUsForAnAgent(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        loaded: Ticket = self.right.load(ref, needs)
        messages = [
            replace(each, act=replace(each.act, who=Who.AGENT)) if each.act.who is Who.BOT else each
            for each in loaded.messages
        ]
        return replace(loaded, messages=tuple(messages))


class SaysMessagesAreLoadedAndLoadsNone(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        return replace(self.right.load(ref, needs - {Need.MESSAGES}), loaded=needs)


class LoadsWhatNobodyAskedFor(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        return replace(self.right.load(ref, needs | {Need.MESSAGES}), loaded=needs)


class KnowsNoPriority(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        return replace(self.right.load(ref, needs), priority=Priority.NORMAL)


class StampsWithItsOwnClock(Wrong):
    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        loaded: Ticket = self.right.load(ref, needs)
        return replace(loaded, read_at=loaded.read_at + 3600)


class LooksAway(Wrong):
    def send(self, write: Write, _expects: str) -> Receipt:
        now = self.right.load(write.ref, frozenset()).revision
        receipt: Receipt = self.right.send(replace(write, expects=now), now)
        return receipt


class SendsTwice(Wrong):
    def send(self, write: Write, expects: str) -> Receipt:
        receipt: Receipt = self.right.send(write, expects)
        self.sandbox.desk.log.append(self.sandbox.desk.log[-1])  # as if it had come in once more
        return receipt


class TriesForEver(Wrong):
    def send(self, write: Write, expects: str) -> Receipt:
        try:
            receipt: Receipt = self.right.send(write, expects)
        except (WontAccept, Gone, AccessLost) as error:
            raise TryLater(str(error), 60) from error
        return receipt


class TakesSilenceForANo(Wrong):
    def send(self, write: Write, expects: str) -> Receipt:
        try:
            receipt: Receipt = self.right.send(write, expects)
        except OutcomeUnknown as error:
            raise TryLater(str(error), 1) from error
        return receipt


class Receipts(Wrong):
    change: dict[str, Any]

    def send(self, write: Write, expects: str) -> Receipt:
        return replace(self.right.send(write, expects), **self.change)


class NamesNoFacts(Receipts):
    change = {"facts": ()}  # noqa: RUF012


class NamesAnOldRevision(Receipts):
    change = {"revision": "1"}  # noqa: RUF012


class TellsNoTime(Receipts):
    change = {"at": 0}  # noqa: RUF012


class TellsNoChange(Receipts):
    change = {"changed": ()}  # noqa: RUF012


class FindsNothing(Wrong):
    def find_written(self, _write: Write) -> Receipt | None:
        return None


class FindsEverything(Wrong):
    def find_written(self, write: Write) -> Receipt | None:
        found: Receipt | None = self.right.find_written(write)
        return found or Receipt(key=write.key, revision=write.expects, at=self.sandbox.now(), facts=("1",))


class LowersAPriority(Wrong):
    def prepare(self, ticket: Ticket, actions: tuple[Any, ...], key: str) -> Prepared:
        exact = [PutBackPriority(to=each.at_least) if each.kind == "priority" else each for each in actions]
        made: Prepared = self.right.prepare(ticket, tuple(exact), key)
        return made


class WritesWhatHolds(Wrong):
    def prepare(self, ticket: Ticket, actions: tuple[Any, ...], key: str) -> Prepared:
        bare = replace(ticket, tags=frozenset(), group=None, assignee=None, priority=None, custom={})
        made: Prepared = self.right.prepare(bare, actions, key)
        return made


class DropsAFieldWithoutAWord(Wrong):
    def prepare(self, ticket: Ticket, actions: tuple[Any, ...], key: str) -> Prepared:
        made: Prepared = self.right.prepare(
            ticket, tuple(each for each in actions if each.kind != "set"), key
        )
        return made


class KnowsNoMembers(Wrong):
    def directory(self) -> Directory:
        return replace(self.right.directory(), agents=())


class BelievesAnybody(Wrong):
    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        try:
            events: tuple[Event, ...] = self.right.decode(request)
        except NotAuthentic:
            return (Event(ref=self.sandbox.ref, delivery="1"),)
        return events


class TakesRepeatsForNews(Wrong):
    count = 0

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        self.count += 1
        return tuple(replace(each, delivery=str(self.count)) for each in self.right.decode(request))


class TakesNewsForRepeats(Wrong):
    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        return tuple(replace(each, delivery="1") for each in self.right.decode(request))


class FallsOverAWrongBody(Wrong):
    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        try:
            events: tuple[Event, ...] = self.right.decode(request)
        except Malformed as error:
            raise KeyError("ticket") from error
        except NotAuthentic as error:
            raise KeyError("signature") from error
        return events


CAUGHT: tuple[tuple[type[Wrong], Callable[..., None]], ...] = (
    (PassesTheGateBy, Contract.test_every_request_goes_through_the_gate),
    (PassesTheGateBy, Contract.test_a_closed_gate_lets_nothing_out),
    (TellsNobodyOfA429, Contract.test_come_back_later_is_said_with_the_wait),
    (ForgetsTheWait, Contract.test_come_back_later_is_said_with_the_wait),
    (BeginsNow, Contract.test_a_feed_begins_where_it_is_told_to),
    (BeginsAgain, Contract.test_a_feed_begins_where_it_is_told_to),
    (LosesTheLastOfAPage, Contract.test_a_feed_begins_where_it_is_told_to),
    (TakesAnOutageForNothingNew, Contract.test_an_outage_is_never_an_empty_list),
    (ReadsOnePageOfTheCensus, Contract.test_the_census_has_as_many_pages_as_it_takes),
    (ListsTwice, Contract.test_the_census_lists_each_open_ticket_once),
    (ReadsOnePageOfMessages, Contract.test_a_long_conversation_is_loaded_whole),
    (TakesUsForAnAgent, Contract.test_who_said_it_is_told_apart),
    (SaysMessagesAreLoadedAndLoadsNone, Contract.test_who_said_it_is_told_apart),
    (LoadsWhatNobodyAskedFor, Contract.test_what_is_asked_for_is_loaded_and_nothing_else),
    (KnowsNoPriority, Contract.test_every_status_and_priority_has_a_common_word),
    (StampsWithItsOwnClock, Contract.test_times_are_the_helpdesks),
    (LooksAway, Contract.test_a_human_in_between_wins),
    (SendsTwice, Contract.test_every_kind_of_action_is_found_once_it_is_written),
    (TriesForEver, Contract.test_a_refused_write_is_not_tried_for_ever),
    (TriesForEver, Contract.test_a_ticket_that_is_gone_is_said_to_be),
    (TriesForEver, Contract.test_lost_credentials_are_said_by_every_call),
    (TakesSilenceForANo, Contract.test_a_lost_reply_is_unknown_and_then_found),
    (NamesNoFacts, Contract.test_a_note_is_internal_and_ours),
    (NamesAnOldRevision, Contract.test_every_kind_of_action_is_found_once_it_is_written),
    (TellsNoTime, Contract.test_every_kind_of_action_is_found_once_it_is_written),
    (TellsNoChange, Contract.test_our_change_is_told_with_what_was_before),
    (FindsNothing, Contract.test_a_lost_reply_is_unknown_and_then_found),
    (FindsEverything, Contract.test_a_lost_request_is_not_taken_for_written),
    (LowersAPriority, Contract.test_priority_is_raised_and_never_lowered),
    (WritesWhatHolds, Contract.test_what_holds_already_is_not_written),
    (DropsAFieldWithoutAWord, Contract.test_a_field_is_set),
    (KnowsNoMembers, Contract.test_the_directory_names_groups_and_the_people_in_them),
    (BelievesAnybody, Contract.test_a_forged_webhook_is_refused),
    (TakesRepeatsForNews, Contract.test_a_webhook_names_the_ticket_and_a_repeat_is_known),
    (TakesNewsForRepeats, Contract.test_a_webhook_names_the_ticket_and_a_repeat_is_known),
    (FallsOverAWrongBody, Contract.test_a_webhook_without_a_ticket_is_malformed_or_not_authentic),
)


@pytest.mark.parametrize(
    ("fault", "test"), CAUGHT, ids=[f"{fault.__name__}-{test.__name__}" for fault, test in CAUGHT]
)
def test_the_fault_is_caught(fault: type[Wrong], test: Callable[..., None]) -> None:
    with world() as acme:
        sandbox = ZendeskSandbox(acme)
        acme.adapter = fault(acme.adapter, sandbox)
        caught = (AssertionError, pytest.fail.Exception, HelpdeskError, Stale, KeyError, ValueError)
        with pytest.raises(caught):
            test(Contract(), sandbox)
