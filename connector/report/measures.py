"""Every measure of a report: what it is called, what it counts, over whom. Pure; the docs have a section for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "seconds", "levels", "count", "points"]
Family = Literal["Escalation", "Times", "Acknowledgement", "Movement", "Quality", "SLA", "Trust"]

CREATED = "tickets created in the period"
ESCALATED = "tickets created in the period that were escalated at any time"
BEGUN = "escalations begun in the period"
FIRED = "levels fired in the period"
SOLVED = "tickets solved in the period, by their first solving in it"
OPEN = "tickets open now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure. `cohort` says whom it is taken over, `formula` how."""

    key: str
    name: str
    family: Family
    unit: Unit
    cohort: str
    formula: str


def measures(*rows: tuple[str, str, Family, Unit, str, str]) -> Mapping[str, Measure]:
    """The measures by key, in this order."""
    made = (
        Measure(key=key, name=name, family=family, unit=unit, cohort=cohort, formula=formula)
        for key, name, family, unit, cohort, formula in rows
    )
    return {each.key: each for each in made}


MEASURES = measures(
    ("escalation_rate", "Escalation rate", "Escalation", "share", CREATED, "escalated / created"),
    ("escalations", "Escalations", "Escalation", "count", BEGUN, "episodes whose first level fired in the period"),
    ("levels_climbed", "Levels climbed", "Escalation", "levels", BEGUN, "levels fired per escalation"),
    ("top_reached", "Reached the top level", "Escalation", "share", BEGUN, "last level of the policy fired / all"),
    ("reescalation_rate", "Re-escalation rate", "Escalation", "share", ESCALATED,
     "escalated again after de-escalation or solving / escalated"),
    ("cause_coverage", "Cause coverage", "Escalation", "share", BEGUN, "with a stated cause / all"),
    ("tte_created", "Time to escalate, from creation", "Times", "seconds", ESCALATED,
     "first level fired - created"),
    ("tte_needed", "Time to escalate, from need", "Times", "seconds", ESCALATED,
     "first level fired - the policy first held"),
    ("time_escalated", "Time in escalation", "Times", "seconds", ESCALATED,
     "time in which at least one escalation of the ticket ran, until now for running ones"),
    ("resolution_after", "Resolution after escalation", "Times", "seconds", ESCALATED,
     "last solving - first level fired"),
    ("first_reply", "First reply time", "Times", "seconds", CREATED, "first qualifying reply - created"),
    ("mtta", "Time to acknowledge", "Acknowledgement", "seconds", FIRED, "first acknowledgement - level fired"),
    ("ack_coverage", "Acknowledgement coverage", "Acknowledgement", "share", FIRED,
     "acknowledged before the next level fired / fired"),
    ("bounce_rate", "Bounce rate", "Movement", "share", CREATED, "moved between groups twice or more by people / all"),
    ("ping_pong", "Ping-pong", "Movement", "share", CREATED, "moved A to B to A by people / all"),
    ("ping_pong_any", "Ping-pong, bots included", "Movement", "share", CREATED, "moved A to B to A by anybody / all"),
    ("moves_people", "Moves between groups by people", "Movement", "count", CREATED, "changes of group"),
    ("moves_ours", "Moves between groups by Uptier", "Movement", "count", CREATED, "changes of group"),
    ("moves_automation", "Moves between groups by other automations", "Movement", "count", CREATED,
     "changes of group"),
    ("handoff_dead_time", "Hand-off dead time", "Movement", "seconds", FIRED,
     "first act of a member of the receiving group - our change of group"),
    ("reopen_rate", "Reopen rate", "Quality", "share", SOLVED, "reopened by a person within the window / solved"),
    ("one_touch", "One-touch resolution", "Quality", "share", SOLVED,
     "at most one qualifying reply and no reopening within the window / solved"),
    ("csat_escalated", "CSAT of escalated tickets", "Quality", "share", SOLVED, "good / rated"),
    ("csat_other", "CSAT of other tickets", "Quality", "share", SOLVED, "good / rated"),
    ("csat_difference", "CSAT difference, escalated minus others", "Quality", "points", SOLVED,
     "CSAT of escalated - CSAT of others"),
    ("csat_response_escalated", "Response rate of escalated tickets", "Quality", "share", SOLVED, "rated / solved"),
    ("csat_response_other", "Response rate of other tickets", "Quality", "share", SOLVED, "rated / solved"),
    ("pause_integrity", "Paused although the customer waited", "Quality", "share",
     "seconds in the period in which a ticket was pending or on hold", "of these, while a customer waited / all"),
    ("sla_targets", "SLA compliance by target", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_first_reply", "SLA compliance: first reply", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_next_reply", "SLA compliance: next reply", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_resolution", "SLA compliance: resolution", "SLA", "share", CREATED, "achieved / (achieved + breached)"),
    ("sla_tickets", "SLA compliance by ticket", "SLA", "share", CREATED,
     "no breached target / tickets with a decided target"),
    ("breach_duration", "Breach duration", "SLA", "seconds", CREATED,
     "fulfilment - due of breached targets, until now for open ones"),
    ("at_risk", "At risk now", "SLA", "count", OPEN, "open targets with 75 % or more of their time used"),
    ("prevented", "Prevented breaches", "SLA", "share", BEGUN,
     "warned before the deadline and the target met / warned and decided"),
    ("precision", "Escalation precision", "Trust", "share", BEGUN,
     "1 - (rejected, or de-escalated before anybody acknowledged) / automatic"),
    ("punctuality", "Bot lateness", "Trust", "seconds", FIRED, "the helpdesk had the write - due"),
    ("missed", "Missed levels", "Trust", "count", "running escalations",
     "levels due five minutes ago or more, not fired"),
    ("refused", "Refused levels", "Trust", "count", "levels decided in the period",
     "levels whose write the helpdesk refused"),
)  # fmt: skip
