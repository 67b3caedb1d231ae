"""Phrase packs: what customers say in several languages, found in their own words only."""

from dataclasses import replace
from typing import Any

import pytest

from policies.language.document import Document, read
from policies.language.parse import parse
from policies.language.phrases import folded, found, own_words, shipped
from policies.model import Act, Message, Need, Who
from policies.present.explain import explain, traced
from tests.policies.lives import HEAD, NEWBORN, START, Life, policy, rules

ASKS = policy(when='phrases = { has = "asks_for_manager" }')


def said(*bodies: str, who: Who = Who.CUSTOMER, public: bool = True, **fields: Any) -> Life:
    """A ticket without a telling subject on which somebody wrote these messages, oldest first."""
    person = "cleo" if who is Who.CUSTOMER else "ann"
    messages = tuple(
        Message(
            act=Act(sequence=n, id=f"m{n}", at=START + 60 * n, who=who, person=person),
            public=public,
            body=body,
        )
        for n, body in enumerate(bodies, start=1)
    )
    return Life(ASKS).with_fields(messages=messages, **({"subject": "Printer"} | fields))


def holds(life: Life) -> bool:
    return traced(life.plan(30))[0].holds


def packs_in(text: str) -> set[str]:
    """The packs that match one message."""
    return set(found(said(text).ticket, shipped().values()))


# --- the packs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "text"),
    [
        ("asks_for_manager", "Let me speak to your manager right now!"),
        ("asks_for_manager", "I WANT TO TALK WITH A SUPERVISOR"),
        ("asks_for_manager", "Please escalate this to someone who can decide."),
        ("asks_for_manager", "Ich möchte mit Ihrem Vorgesetzten sprechen."),
        ("asks_for_manager", "Verbinden Sie mich mit einem Teamleiter"),
        ("asks_for_manager", "Je souhaite parler à un responsable."),
        ("asks_for_manager", "je veux parler a votre superieur"),
        ("asks_for_manager", "Quiero hablar con su encargado, por favor"),
        ("asks_for_manager", "Páseme con un supervisor"),
        ("threatens_to_leave", "Then we will cancel our subscription."),
        ("threatens_to_leave", "We are switching to a competitor"),
        ("threatens_to_leave", "Wir werden den Vertrag kündigen."),
        ("threatens_to_leave", "dann wechseln wir zur Konkurrenz"),
        ("threatens_to_leave", "Je vais résilier mon contrat"),
        ("threatens_to_leave", "nous allons changer de fournisseur"),
        ("threatens_to_leave", "Quiero darme de baja"),
        ("threatens_to_leave", "voy a cambiar de proveedor"),
        ("legal_threat", "You will hear from my lawyer."),
        ("legal_threat", "We shall take legal action"),
        ("legal_threat", "Wir behalten uns rechtliche Schritte vor"),
        ("legal_threat", "Ich werde einen Anwalt einschalten"),
        ("legal_threat", "Je vais contacter un avocat"),
        ("legal_threat", "ceci est une mise en demeure"),
        ("legal_threat", "Tomaremos acciones legales"),
        ("legal_threat", "voy a hablar con mi abogado"),
        ("security_incident", "Our server was hacked last night"),
        ("security_incident", "We found a data breach"),
        ("security_incident", "Unser Konto wurde gehackt"),
        ("security_incident", "Es gibt ein Datenleck"),
        ("security_incident", "Notre compte a été piraté"),
        ("security_incident", "une fuite de données"),
        ("security_incident", "Nos han hackeado la cuenta: hackearon todo"),
        ("security_incident", "hubo una filtración de datos"),
        ("complaint", "I would like to make a formal complaint"),
        ("complaint", "This is unacceptable."),
        ("complaint", "Hiermit reiche ich Beschwerde ein"),
        ("complaint", "Das ist inakzeptabel"),
        ("complaint", "C'est inadmissible"),
        ("complaint", "je suis très déçue"),
        ("complaint", "Quiero poner una queja"),
        ("complaint", "Estoy muy decepcionado"),
    ],
)
def test_a_pack_finds_it(pack: str, text: str) -> None:
    assert pack in packs_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "My manager asked me to write to you.",
        "I talked to my manager and she agrees.",
        "Who is our account manager?",
        "Could I speak to our account manager about renewal?",
        "The password manager does not start.",
        "Mein Chef hat mich gebeten, nachzufragen.",
        "Mon responsable m'a demandé de vous écrire.",
        "Mi jefe me pidió que escribiera.",
        "How do I add a second user to my account?",
        "Please cancel the meeting on Friday.",
        "The lawyer edition of your product crashes.",
        "We moved to a different office.",
        "Die Rechtsabteilung braucht das Formular.",
        "Thank you, everything works again!",
        "Merci, tout fonctionne.",
        "Gracias, ya funciona todo.",
        "Danke, es geht wieder.",
        "fatal: authentication failed, killing the worker",
    ],
)
def test_no_pack_finds_anything_in_this(text: str) -> None:
    assert packs_in(text) == set()


def test_a_phrase_is_a_whole_word() -> None:
    assert packs_in("Das ist eine Frechheitsklausel") == set()
    assert packs_in("(Frechheit)") == {"complaint"}


def test_every_pack_has_all_four_languages_and_each_phrase_stands_for_itself() -> None:
    assert set(shipped()) >= {
        "asks_for_manager", "threatens_to_leave", "legal_threat", "security_incident", "complaint",
    }  # fmt: skip
    for pack in shipped().values():
        assert set(pack.phrases) == {"en", "de", "fr", "es"}
        assert pack.search("") is None


# --- whose words ----------------------------------------------------------------------------------------------


def test_only_the_customers_public_words_count() -> None:
    text = "I want to speak to your manager"
    assert holds(said(text))
    assert not holds(said(text, who=Who.AGENT))
    assert not holds(said(text, who=Who.AUTOMATION))
    assert not holds(said(text, public=False))


def test_the_requester_is_the_customer_even_as_an_agent() -> None:
    mine = said("I want to speak to your manager", who=Who.AGENT)
    assert holds(mine.with_fields(requester=replace(mine.ticket.requester, id="ann")))


def test_an_auto_reply_says_nothing() -> None:
    life = said("For urgent matters speak to the manager")
    answering = tuple(replace(each, auto_reply=True) for each in life.ticket.messages)
    assert not holds(life.with_fields(messages=answering))


def test_subject_and_description_count_too() -> None:
    assert holds(said("Hello?", subject="Let me talk to a supervisor"))
    assert holds(said("Hello?", description="Let me talk to a supervisor"))


def test_a_description_that_an_agent_wrote_does_not() -> None:
    life = said("x", who=Who.AGENT, description="Let me talk to a supervisor")
    opening = replace(life.ticket.messages[0], act=replace(life.ticket.messages[0].act, at=START))
    assert not holds(life.with_fields(messages=(opening,)))
    assert holds(life.with_fields(messages=()))


def test_the_newest_words_are_shown() -> None:
    life = said("I want to speak to your manager", "Get me a supervisor, please", "Hello?")
    assert found(life.ticket, shipped().values()) == {"asks_for_manager": "Get me a supervisor"}


QUOTED = "I want to speak to your manager"


@pytest.mark.parametrize(
    "body",
    [
        f"Thanks\n> {QUOTED}",
        f"Thanks\n\nOn Mon, 3 Nov 2025 at 10:00, Ann <ann@acme.test> wrote:\n{QUOTED}",
        f"Thanks\n\nOn Mon, 3 Nov 2025 at 10:00,\nAnn <ann@acme.test> wrote:\n\n{QUOTED}",
        f"Danke\n\nAm 03.11.2025 um 10:00 schrieb Ann <ann@acme.test>:\n{QUOTED}",
        f"Merci\n\nLe lun. 3 nov. 2025 à 10:00, Ann <ann@acme.test> a écrit :\n{QUOTED}",
        f"Gracias\n\nEl lun, 3 nov 2025 a las 10:00, Ann escribió:\n{QUOTED}",
        f"Thanks\n-----Original Message-----\nFrom: Ann\n{QUOTED}",
        f"Danke\n-----Ursprüngliche Nachricht-----\n{QUOTED}",
        f"Thanks\n\nFrom: Ann <ann@acme.test>\nSent: Monday\nTo: Cleo\n\n{QUOTED}",
        f"##- Please type your reply above this line -##\n{QUOTED}",
        f"Thanks\n-- \nCleo\n{QUOTED}",
    ],
)
def test_quotes_and_signatures_are_left_out(body: str) -> None:
    assert not holds(said(body))
    assert own_words(body).strip() in {"Thanks", "Danke", "Merci", "Gracias", ""}


@pytest.mark.parametrize(
    "body",
    [
        f"On Mon, 3 Nov 2025 at 10:00, Ann wrote:\n> Hello\n> How are you?\n\n{QUOTED}",
        f"> Hello\n{QUOTED}",
        f"Sent from my phone\n{QUOTED}",
        f"On Monday I wrote:\n{QUOTED}",
        f"The price -- {QUOTED}\n-- well, that",
        "I want to\nspeak  to\nyour manager",
        "I want to speak to your manager.\n\nSent from my phone",
    ],
)
def test_what_stands_around_them_stays(body: str) -> None:
    assert holds(said(body))


@pytest.mark.parametrize(
    ("text", "plain"), [("Größe", "Grosse"), ("déçue", "decue"), ("l’avocat\n fini", "l'avocat fini")]
)
def test_accents_and_line_breaks_do_not_matter(text: str, plain: str) -> None:
    assert folded(text) == plain


# --- in policies ----------------------------------------------------------------------------------------------


def test_explain_shows_the_words() -> None:
    life = said("Let me speak to your manager")
    text = explain(traced(life.plan(1)))
    assert 'yes phrases has asks_for_manager (it is asks_for_manager: "speak to your manager")' in text
    assert "no  phrases has asks_for_manager (it is empty)" in explain(traced(said("Hi").plan(1)))


def test_operators_of_lists_work() -> None:
    text = "This is unacceptable. My lawyer will call."
    both = 'phrases = { has_all = ["complaint", "legal_threat"] }'
    for when, held in ((both, True), ('phrases = { lacks = "complaint" }', False)):
        life = said(text)
        life.policies = rules(policy(when=when))
        assert holds(life) is held
        life.ticket = said("Hi").ticket
        assert holds(life) is not held


def test_without_messages_a_row_of_a_feed_may_match() -> None:
    (line,) = rules(ASKS).policies[0].when.lines[:1]
    assert line.needs == {Need.MESSAGES}
    bare = replace(NEWBORN, loaded=frozenset())
    assert line.on_row(bare) is None
    assert line.on_row(replace(bare, subject=QUOTED)) is None


OWN = '[phrases.outage]\nen = ["all (is|are) down"]\npt = ["fora do ar"]\nru = ["не работает"]\n'


@pytest.mark.parametrize(
    ("text", "held"), [("Hilfe, all IS down", True), ("está fora do ar", True), ("СОВСЕМ НЕ РАБОТАЕТ", True),
    ("all is downhill", False), ("неработает", False)],
)  # fmt: skip
def test_a_pack_of_ones_own(text: str, held: bool) -> None:
    life = said(text)
    life.policies = rules(policy(when='phrases = { has = "outage" }'), HEAD + OWN)
    assert holds(life) is held


def test_more_phrases_for_a_pack_that_is_there() -> None:
    more = '[phrases.asks_for_manager]\nen = ["fetch the big cheese"]\n'
    for text in ("Fetch the big cheese!", "Get me a supervisor"):
        life = said(text)
        life.policies = rules(ASKS, HEAD + more)
        assert holds(life)
    assert not holds(said("Fetch the big cheese!")), "not without the table"


def test_what_the_packs_say_is_part_of_what_the_policies_are() -> None:
    assert rules(ASKS).hash != rules(ASKS, HEAD + OWN).hash


def problems(text: str) -> list[tuple[int, str, str]]:
    document = read("uptier.toml", text)
    assert isinstance(document, Document)
    return [(each.line, each.code, each.message) for each in parse([document]).problems]


def test_an_unknown_pack_is_an_error_with_a_hint() -> None:
    (found_there,) = problems(HEAD + policy(when='phrases = { has = "asks_for_manger" }'))
    assert found_there[1] == "unknown-value"
    assert "asks_for_manager" in found_there[2]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("[phrases.x]", "empty"),
        ("[phrases.x]\nen = []", "empty"),
        ('[phrases.x]\nen = "speak to a manager"', "wrong-type"),
        ("[phrases.x]\nen = [1]", "wrong-type"),
        ('[phrases.x]\nen = ["(speak"]', "bad-pattern"),
        ('[phrases.x]\nen = ["a?"]', "bad-pattern"),
        ('[phrases.x]\nenglish = ["speak"]', "unknown-key"),
        ("[phrases]\nx = 1", "wrong-type"),
    ],
)
def test_a_faulty_table_is_refused(table: str, code: str) -> None:
    assert [each[1] for each in problems(HEAD + table)] == [code]
