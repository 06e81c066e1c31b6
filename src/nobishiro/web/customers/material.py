"""Everything read about one customer, once: the parts of the karte are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from nobishiro.pipelines.customer_rows import (
    Catalogue,
    HappenedRows,
    RunRows,
    catalogue_of,
    happened_rows,
    run_rows,
    workspace_at,
)
from nobishiro.web.core.company import published, workspace_path
from nobishiro.web.customers.models import (
    Action,
    Contact,
    Customer,
    Fact,
    Hypothesis,
    Outcome,
    Override,
    Owner,
    Tag,
    Touch,
)
from nobishiro.web.customers.row_index import index_directory
from nobishiro.web.customers.timeline import EnteredWords, tables_for

if TYPE_CHECKING:
    from nobishiro.pipelines.published import PublishedRun


@dataclass(frozen=True, slots=True)
class Material:
    """Everything read about the customer; the parts of the page are made from it."""

    customer: Customer
    codes: list[str]
    owners: list[Owner]
    contacts: list[Contact]
    facts: list[Fact]
    tags: list[Tag]
    overrides: list[Override]
    hypotheses: list[Hypothesis]
    touches: list[Touch]
    outcomes: list[Outcome]
    undone: frozenset[str]
    """Codes of touches and outcomes taken back; the store may still hold them from the last run."""
    actions: list[Action]
    run: PublishedRun | None
    rows: RunRows
    happened: HappenedRows
    catalogue: Catalogue
    today: date

    @property
    def has_key_person(self) -> bool:
        """Whether somebody is marked as deciding."""
        return any(contact.is_key_person for contact in self.contacts)

    @property
    def told_here(self) -> frozenset[str]:
        """Ids under which the store holds proposals that were entered, or taken back, here."""
        codes = self.undone | {outcome.code for outcome in self.outcomes}
        return codes | {f"web-{code}" for code in codes}

    @property
    def entered(self) -> EnteredWords:
        """What was entered here, for the time line."""
        return EnteredWords(self.touches, self.outcomes, self.facts, self.overrides, self.tags, self.undone)


def find_customer(pk: int) -> tuple[Customer, list[str]] | None:
    """The customer and the codes whose rows are theirs; of one merged away, the one it was merged into. None if unknown."""
    found = list(
        Customer.objects.filter(Q(pk=pk) | Q(merged_into=pk)).select_related("main_rep", "main_division", "merged_into")
    )
    customer = next((row for row in found if row.pk == pk), None)
    if customer is None:
        return None
    if customer.merged_into is not None:
        return find_customer(customer.merged_into.pk)
    return customer, [customer.code, *(row.code for row in found if row.pk != pk)]


def read_material(customer: Customer, codes: list[str], *, kind: str = "") -> Material:
    """Read everything about the customer; `kind` narrows what is read of the store to a part of the time line."""
    run = published()
    touches = list(Touch.objects.filter(customer=customer).select_related("rep").order_by("-happened_at"))
    outcomes = list(Outcome.objects.filter(customer=customer).select_related("rep", "touch").order_by("-happened_at"))
    live = {"customer": customer, "withdrawn_at": None}
    return Material(
        customer=customer,
        codes=codes,
        owners=list(
            Owner.objects.filter(customer=customer)
            .select_related("rep", "division")
            .order_by("division__code", "role", "rep__code")
        ),
        contacts=list(Contact.objects.filter(customer=customer).order_by("-is_key_person", "family_name", "pk")),
        facts=list(Fact.objects.filter(**live).select_related("rep").order_by("-learned_on", "-set_at", "-pk")),
        tags=list(Tag.objects.filter(**live).select_related("rep").order_by("-set_at", "-pk")),
        overrides=list(Override.objects.filter(customer=customer).order_by("-set_at", "-pk")),
        hypotheses=list(Hypothesis.objects.filter(customer=customer)),
        touches=[one for one in touches if one.withdrawn_at is None],
        outcomes=[one for one in outcomes if one.withdrawn_at is None],
        undone=frozenset(
            [touch.code for touch in touches if touch.withdrawn_at is not None]
            + [outcome.code for outcome in outcomes if outcome.withdrawn_at is not None]
        ),
        actions=list(Action.objects.filter(customer=customer, state=Action.State.OPEN).select_related("rep")),
        run=run,
        rows=run_rows(run, customer.code),
        happened=happened_rows(workspace_at(workspace_path(), run), codes, tables_for(kind), index=index_directory()),
        catalogue=catalogue_of(run),
        today=timezone.localdate(),
    )
