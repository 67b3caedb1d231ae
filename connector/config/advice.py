"""What is not wrong but will not work well: seen only with the accounts' settings or today's date at hand."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from connector.config.secrets import Secrets, too_short
from connector.config.settings import Loaded, Settings
from policies.language.document import Document, Problem
from policies.language.policy import PolicySet
from policies.policy_tests import covered
from policies.rules.assignment import lacking

SOON = timedelta(days=60)


def advice(loaded: Loaded, today: date) -> tuple[Problem, ...]:
    """Warnings about a config that has no errors."""
    if loaded.settings is None or loaded.policies is None:
        return ()
    return (
        *slow_polls(loaded.settings, loaded.policies, loaded.documents[0]),
        *ended_dates(loaded.policies, loaded.documents, today),
    )


def weak_secrets(loaded: Loaded, secrets: Secrets) -> Iterator[Problem]:
    """Webhook secrets that a start would refuse, where they are at hand."""
    for name, account in loaded.settings.accounts.items() if loaded.settings else ():
        for key, ref in account.webhook_secrets.items():
            why = too_short(value) if (value := secrets.at_hand(ref)) else None
            if why is not None:
                main = loaded.documents[0]
                line = main.line(("accounts", name, "webhook", key))
                text = f'account "{name}", webhook.{key}: {why}.'
                yield Problem(file=main.name, line=line, code="short-secret", message=text)


def unread(
    settings: Settings, policies: PolicySet, main: Document, read: Collection[str]
) -> Iterator[Problem]:
    """An account whose directory, unlike those `read`, nobody has read, so that the names of its levels are not held
    against it."""
    for name in settings.accounts:
        if name not in read and lacking(policies, name, None):
            text = (
                f'the directory of account "{name}" was never read, so its groups and people are not judged.'
            )
            yield warning(main, ("accounts", name), "no-directory", f"{text} Run `uptier run --once`.")


def slow_polls(settings: Settings, policies: PolicySet, main: Document) -> Iterator[Problem]:
    """An account without webhooks is polled more seldom than its shortest level lasts."""
    for name, account in settings.accounts.items():
        spans = [
            level.after
            for policy in policies.serving(name)
            for level in policy.levels
            if level.after and level.clock == "policy"
        ]
        if account.webhook or not spans or account.poll <= min(spans):
            continue
        text = (
            f'account "{name}" is polled every {account.poll} s and has no webhook, but a level is due after '
            f"{min(spans)} s; poll more often, or connect its webhook."
        )
        yield warning(main, ("accounts", name, "poll"), "slow-poll", text)


def ended_dates(policies: PolicySet, documents: tuple[Document, ...], today: date) -> Iterator[Problem]:
    """A calendar that lists its closed days by hand ends soon, or has ended."""
    for name, spec in policies.calendars.items():
        last = max(spec.closed, default=None)
        if last is None or spec.holidays or date.fromisoformat(last) >= today + SOON:
            continue
        path = ("calendars", name, "closed")
        document = next((each for each in documents if path in each.lines), documents[0])
        text = f'calendar "{name}": the last closed day is {last}; add those of the time after it.'
        yield warning(document, path, "dates-end", text)


def without_test(loaded: Loaded) -> tuple[str, ...]:
    """The policies that no test covers, those of packs aside, where any of yours has a test."""
    known = covered(loaded.tests)
    policies = loaded.policies.policies if loaded.policies else ()
    own = [each.name for each in policies if not each.file.startswith("pack ")]
    return tuple(name for name in own if name not in known) if known.intersection(own) else ()


def warning(document: Document, path: tuple[str | int, ...], code: str, text: str) -> Problem:
    """A finding that keeps nothing from running."""
    return Problem(file=document.name, line=document.line(path), code=code, message=text, severity="warning")
