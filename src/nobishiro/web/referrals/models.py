"""Hearing, referrals with their steps, the reward ledger, praise, and introductions by customers."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from nobishiro.web.customers.models import Customer, Touch
from nobishiro.web.people.models import Division, Rep

_USER = settings.AUTH_USER_MODEL


class Question(models.Model):
    """One question of the hearing checklist: asked on every visit, listened to on behalf of another division."""

    text_ja = models.CharField(max_length=300)
    text_en = models.CharField(max_length=300, blank=True)
    division = models.ForeignKey(Division, null=True, blank=True, on_delete=models.SET_NULL, related_name="questions")
    """Where a yes leads; None for a question of general interest."""
    family = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=100)
    is_asked = models.BooleanField(default=True)

    class Meta:
        """In the order asked."""

        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text_ja


class Hearing(models.Model):
    """One answer to one question of the checklist, on one visit or day."""

    class Answer(models.TextChoices):
        """What came back."""

        YES = "yes"
        NO = "no"
        LATER = "later"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="hearings")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="hearings")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="hearings")
    heard_on = models.DateField()
    heard_at = models.DateTimeField()
    answer = models.CharField(max_length=5, choices=Answer.choices)
    note = models.TextField(blank=True)
    entered_by = models.ForeignKey(_USER, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """One answer a question, customer and day: answering again the same day corrects it."""

        constraints = [models.UniqueConstraint(fields=["customer", "question", "heard_on"], name="one_answer_a_day")]
        indexes = [models.Index(fields=["rep", "-heard_on"], name="hearing_rep")]
        ordering = ["-heard_at"]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.answer}"


class Referral(models.Model):
    """社内紹介: one division passes a lead to another."""

    class State(models.TextChoices):
        """Where it stands; each step has its own moment below."""

        SENT = "sent"
        RETURNED = "returned"
        ACCEPTED = "accepted"
        APPROACHED = "approached"
        WON = "won"
        LOST = "lost"

    code = models.CharField(max_length=100, unique=True)
    """Made by the form: sending it twice makes one referral."""
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="referrals")
    family = models.CharField(max_length=200, blank=True)
    heard = models.TextField()
    """What the customer said, in their words."""
    hearing = models.ForeignKey(Hearing, null=True, on_delete=models.SET_NULL, related_name="referrals")
    from_user = models.ForeignKey(_USER, null=True, on_delete=models.SET_NULL, related_name="+")
    from_rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="referrals_made")
    from_division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="+")
    to_division = models.ForeignKey(Division, on_delete=models.PROTECT, related_name="referrals_received")
    to_rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="referrals_taken")
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENT)
    sent_at = models.DateTimeField()
    accept_due = models.DateField()
    accepted_at = models.DateTimeField(null=True)
    approach_due = models.DateField(null=True)
    returned_reason = models.TextField(blank=True)
    approach = models.ForeignKey(Touch, null=True, on_delete=models.SET_NULL, related_name="+")
    """The touch that shows the approach was really made."""
    approached_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(_USER, null=True, on_delete=models.SET_NULL, related_name="+")
    """Who looked and found the approach to be real: somebody else than the one who made it."""
    closed_at = models.DateTimeField(null=True)
    amount = models.DecimalField(max_digits=18, decimal_places=0, null=True)
    lost_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        """Newest first; found by who waits for whom."""

        ordering = ["-sent_at"]
        indexes = [
            models.Index(fields=["to_division", "state"], name="referral_to"),
            models.Index(fields=["from_rep", "-sent_at"], name="referral_from"),
            models.Index(fields=["to_rep", "state"], name="referral_taken"),
            models.Index(fields=["customer", "-sent_at"], name="referral_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} → {self.to_division_id}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.state in (self.State.WON, self.State.LOST, self.State.RETURNED)


class Reward(models.Model):
    """One line of the reward ledger. A line is never changed in amount: a mistake is taken back by a line of its own."""

    class Kind(models.TextChoices):
        """紹介報酬, 成約報酬, or the taking back of one."""

        REFERRAL = "referral"
        CLOSING = "closing"
        REVERSAL = "reversal"

    class State(models.TextChoices):
        """Whether it was approved."""

        WAITING = "waiting"
        APPROVED = "approved"
        REFUSED = "refused"

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="rewards")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="rewards")
    amount = models.DecimalField(max_digits=12, decimal_places=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    earned_at = models.DateTimeField()
    decided_by = models.ForeignKey(_USER, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=400, blank=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")

    class Meta:
        """One reward of a kind a referral, reversals apart."""

        constraints = [
            models.UniqueConstraint(
                fields=["referral", "kind"], condition=~models.Q(kind="reversal"), name="one_reward_a_kind"
            )
        ]
        ordering = ["-earned_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class Praise(models.Model):
    """A word of thanks on the recognition board."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="praises")
    by = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-at"]

    def __str__(self) -> str:
        return self.text


class Introduction(models.Model):
    """お客様紹介: a customer introduces another one. Only promoters are asked."""

    class State(models.TextChoices):
        """How far it came."""

        ASKED = "asked"
        INTRODUCED = "introduced"
        MET = "met"
        WON = "won"
        NOTHING = "nothing"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="introductions")
    asked_by = models.ForeignKey(_USER, null=True, on_delete=models.SET_NULL, related_name="+")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    introduced_name = models.CharField(max_length=300, blank=True)
    introduced = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="introduced_by")
    """The new customer, once we have one of that name."""
    note = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["customer", "-asked_at"], name="introduction_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.state}"
