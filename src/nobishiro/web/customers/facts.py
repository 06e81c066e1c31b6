"""What is known about a customer (把握情報): the eight facts of 把握度, what to ask next, adding and withdrawing.

Values are kept for ever with source, date and who learned them; of one fact about one subject the one learned last counts.
An imported fact is never edited here: a newer one entered here overrules it, and both stay to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.contracts.errors import BadInput
from nobishiro.web.core.audit import record
from nobishiro.web.customers.models import Contact, Customer, Fact
from nobishiro.web.people.models import User

WHOLE: Final = "-"
"""`Fact.subject` of what holds for the customer as a whole."""
TOTAL_SPEND: Final = "total_spend"
KEY_PERSON_TELLS: Final = "deciding_department"
"""The fact that a contact marked as key person answers."""


@dataclass(frozen=True, slots=True)
class ImportantFact:
    """One of the facts that matter, in both languages, with the question a rep would ask."""

    code: str
    ja: str
    en: str
    ask_ja: str
    ask_en: str
    fresh_days: int = 365
    """How long an answer counts: plans age within a year, history more slowly."""
    is_yen: bool = False


IMPORTANT: Final[tuple[ImportantFact, ...]] = (
    ImportantFact(
        TOTAL_SPEND, "購入総額", "Total spend in our line", "この分野には、全社で年間どのくらいお使いですか。",
        "How much do you spend a year in our line of business, all suppliers together?", is_yen=True,
    ),
    ImportantFact(
        "chosen_reason", "選ばれた理由", "Why they chose us", "当社を選んでいただいた決め手は何でしたか。",
        "What made you choose us?", 1095,
    ),
    ImportantFact(
        "previous_supplier", "以前の購入先と理由", "Whom they bought from before, and why",
        "当社の前はどちらから、どんな理由で買われていましたか。", "Whom did you buy from before us, and why?", 1095,
    ),
    ImportantFact(
        "competitor_moves", "他社の動き", "What competitors are doing", "最近、他社さんからどんなご提案がありましたか。",
        "What have other suppliers proposed to you lately?",
    ),
    ImportantFact(
        "next_interest", "次に検討すること", "What they will look at next", "次にご検討されるのは、どんなことですか。",
        "What will you be looking at next?",
    ),
    ImportantFact(
        "outlook", "来期の見通し", "Outlook for next year", "来期の生産や売上の見通しはいかがですか。",
        "What is your outlook for next year?",
    ),
    ImportantFact(
        "investment_plan", "投資計画", "Investment plans", "来期、設備やシステムへの投資のご予定はありますか。",
        "Are investments planned for next year?",
    ),
    ImportantFact(
        KEY_PERSON_TELLS, "決定部署・キーパーソン", "Who decides", "最終的に決められるのは、どちらの部署のどなたですか。",
        "Which department decides, and who in it?", 730,
    ),
)  # fmt: skip
"""The eight of 把握度, in the order they are to be asked."""
BY_CODE: Final = {fact.code: fact for fact in IMPORTANT}
OTHERS: Final[dict[str, tuple[str, str]]] = {
    "knows_our_range": ("取扱認知", "Knows what else we sell"),
    "competitor_buys": ("他社から購入", "Buys from a competitor"),
    "not_applicable": ("対象外", "Has no use for it"),
    "aspiration": ("志望・要望", "Wish"),
}
"""Names of further facts; one of the company's own is called by its code."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask: never known, or known too long ago."""

    fact: str
    name_ja: str
    name_en: str
    ja: str
    en: str
    is_yen: bool
    last: Fact | None
    """What was known last, when it is only out of date."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """把握度."""

    known: int
    of: int
    codes: frozenset[str]
    """Those known and fresh."""


def name_of(fact: str) -> tuple[str, str]:
    """What a fact is called, in Japanese and English."""
    if fact in BY_CODE:
        return BY_CODE[fact].ja, BY_CODE[fact].en
    return OTHERS.get(fact, (fact, fact))


def today() -> date:
    """The company's day."""
    return timezone.localdate()


def newest_of(facts: Iterable[Fact]) -> list[Fact]:
    """Of each fact and subject the one that counts: learned last, of one day the one entered last. Newest first."""
    ordered = sorted(facts, key=lambda fact: (fact.learned_on, fact.set_at, fact.pk), reverse=True)
    seen: set[tuple[str, str]] = set()
    return [
        fact
        for fact in ordered
        if (key := (fact.fact, fact.subject)) not in seen and not seen.add(key)  # type: ignore[func-returns-value]
    ]


def live_facts(customer: Customer) -> list[Fact]:
    """Every fact not withdrawn, newest first."""
    return list(
        Fact.objects.filter(customer=customer, withdrawn_at=None)
        .select_related("rep")
        .order_by("-learned_on", "-set_at", "-pk")
    )


def known_facts(customer: Customer) -> list[Fact]:
    """What counts today: one a fact and subject, newest first."""
    return newest_of(live_facts(customer))


def told_total(facts: Iterable[Fact]) -> Fact | None:
    """The total spend the customer told, as a whole; None when they told none."""
    for fact in newest_of(facts):
        if fact.fact == TOTAL_SPEND and fact.subject == WHOLE and fact.amount is not None:
            return fact
    return None


def coverage_from(facts: Iterable[Fact], has_key_person: bool, on: date) -> Coverage:
    """把握度 from facts already read."""
    codes = {
        fact.fact
        for fact in facts
        if _counts(fact.fact, fact.subject) and fact.learned_on >= on - timedelta(days=BY_CODE[fact.fact].fresh_days)
    }
    if has_key_person:
        codes.add(KEY_PERSON_TELLS)
    return Coverage(len(codes), len(IMPORTANT), frozenset(codes))


def coverage_of(customer: Customer) -> Coverage:
    """How many of the facts that matter are known and fresh."""
    return coverage_from(known_facts(customer), _has_key_person(customer), today())


def coverage_counts(on: date, customers: Sequence[int] | None = None) -> dict[int, int]:
    """Known and fresh facts by customer `pk`, of all customers or of those named; a customer with none is missing."""
    facts = Fact.objects.filter(withdrawn_at=None, fact__in=BY_CODE).exclude(fact=TOTAL_SPEND, subject__gt=WHOLE)
    persons = Contact.objects.filter(is_key_person=True)
    if customers is not None:
        facts, persons = facts.filter(customer__in=customers), persons.filter(customer__in=customers)
    known: dict[int, set[str]] = {}
    rows = facts.values_list("customer_id", "fact").annotate(last=Max("learned_on")).order_by()
    for customer, fact, last in rows.iterator(chunk_size=5000):
        if last >= on - timedelta(days=BY_CODE[fact].fresh_days):
            known.setdefault(customer, set()).add(fact)
    for customer in persons.values_list("customer_id", flat=True).distinct():
        known.setdefault(customer, set()).add(KEY_PERSON_TELLS)
    return {customer: len(codes) for customer, codes in known.items()}


def questions_from(facts: Iterable[Fact], has_key_person: bool, on: date) -> list[Question]:
    """What to ask next, from facts already read: never known first, then out of date."""
    facts = list(facts)
    known = coverage_from(facts, has_key_person, on).codes
    last: dict[str, Fact] = {}
    for fact in newest_of(facts):
        if _counts(fact.fact, fact.subject):
            last.setdefault(fact.fact, fact)
    asked = [
        Question(one.code, one.ja, one.en, one.ask_ja, one.ask_en, one.is_yen, last.get(one.code))
        for one in IMPORTANT
        if one.code not in known
    ]
    return sorted(asked, key=lambda question: question.last is not None)


def questions_for(customer: Customer) -> list[Question]:
    """What to ask this customer next, most telling first, in both languages."""
    return questions_from(known_facts(customer), _has_key_person(customer), today())


@transaction.atomic
def add_fact(
    *,
    by: User,
    customer: Customer,
    fact: str,
    subject: str = WHOLE,
    value: str = "",
    amount: Decimal | int | float | None = None,
    learned_on: date | None = None,
    source: str = "visit",
) -> Fact:
    """Keep what was learned; the same words about the same day again are the same fact.

    Raises `BadInput` when nothing is said, the day lies ahead, or an amount is negative.
    """
    value, subject = value.strip(), subject.strip() or WHOLE
    learned_on = learned_on or today()
    yen = None if amount is None else Decimal(str(amount)).quantize(Decimal("0.01"))
    _check(fact, value, yen, learned_on)
    known = Fact.objects.filter(
        customer=customer, fact=fact, subject=subject, value=value, amount=yen, learned_on=learned_on,
        withdrawn_at=None,
    ).first()  # fmt: skip
    if known is not None:
        return known
    made = Fact.objects.create(
        customer=customer, fact=fact, subject=subject, value=value, amount=yen, learned_on=learned_on,
        source=source.strip(), rep=by.rep, set_by=by, set_by_name=by.name, set_at=timezone.now(),
    )  # fmt: skip
    record(by, "fact.add", f"customer:{customer.code}", {"fact": fact, "subject": subject})
    _count_again(customer)
    return made


@transaction.atomic
def withdraw_fact(*, by: User, fact: Fact) -> None:
    """Take a fact back; it stays in the history. Raises `BadInput` for one that came by an import."""
    if fact.import_id:
        raise BadInput(gettext("This came by an import. Enter what is right: the newer answer counts."))
    if fact.withdrawn_at is not None:
        return
    fact.withdrawn_at = timezone.now()
    fact.save(update_fields=["withdrawn_at"])
    record(by, "fact.withdraw", f"customer:{fact.customer.code}", {"fact": fact.fact, "subject": fact.subject})
    _count_again(fact.customer)


def _counts(fact: str, subject: str) -> bool:
    return fact in BY_CODE and (fact != TOTAL_SPEND or subject == WHOLE)


def _has_key_person(customer: Customer) -> bool:
    return Contact.objects.filter(customer=customer, is_key_person=True).exists()


def _check(fact: str, value: str, amount: Decimal | None, learned_on: date) -> None:
    if not fact or len(fact) > 60:
        raise BadInput(gettext("Say what kind of thing you learned."))
    needs_amount = fact in BY_CODE and BY_CODE[fact].is_yen
    if needs_amount and amount is None:
        raise BadInput(gettext("Enter the yen a year, as a number."))
    if amount is not None and not (0 <= amount < Decimal(10) ** 15):
        raise BadInput(gettext("Enter the yen a year as a number of zero or more."))
    if not value and amount is None and fact != "not_applicable":
        raise BadInput(gettext("Write what you learned."))
    if learned_on > today():
        raise BadInput(gettext("The day lies in the future."))


def _count_again(customer: Customer) -> None:
    customer.coverage = coverage_of(customer).known
    Customer.objects.filter(pk=customer.pk).update(coverage=customer.coverage)
