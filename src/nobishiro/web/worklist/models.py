"""What this room keeps for itself: orders by luck to be asked about, and who wants the morning mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from nobishiro.web.customers.models import Action, Customer, Touch


class LuckyOrder(models.Model):
    """An order that came by luck, as the latest run found it; what a person said about it stays over later runs."""

    code = models.CharField(max_length=200, unique=True)
    """`order_id` of the store."""
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="lucky_orders")
    run_id = models.CharField(max_length=100)
    ordered_on = models.DateField()
    amount = models.FloatField()
    usual = models.FloatField(null=True)
    """Median of the customer's earlier orders; None for a first order."""
    channel = models.CharField(max_length=60, blank=True)
    touched_on = models.DateField(null=True)
    reason = models.CharField(max_length=12)
    """untouched or unusual: see `pipelines.lucky_orders`."""
    product_code = models.CharField(max_length=200, blank=True)
    product_name = models.CharField(max_length=400, blank=True)
    quantity = models.FloatField(null=True)
    is_found = models.BooleanField(default=True)
    """Whether the latest run still finds it."""
    settled_at = models.DateTimeField(null=True)
    settled_how = models.CharField(max_length=10, blank=True)
    """asked (the answer is a fact) or known (no luck: we know why it came)."""
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """The largest yen first."""

        indexes = [models.Index(fields=["is_found", "settled_at", "-amount"], name="lucky_open")]
        ordering = ["-amount", "code"]

    def __str__(self) -> str:
        return self.code


class Met(models.Model):
    """A tap on a task without an offer: they were met, served or asked. What is said of `Outcome.code` holds here."""

    code = models.CharField(max_length=100, unique=True)
    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="met")
    touch = models.ForeignKey(Touch, null=True, on_delete=models.SET_NULL, related_name="+")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    happened_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        """Found by the task."""

        indexes = [models.Index(fields=["action", "-happened_at"], name="met_action")]

    def __str__(self) -> str:
        return f"met {self.action_id}"


class MorningMail(models.Model):
    """Whether a person wants today's list by mail at eight. No row: no mail."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="morning_mail")
    is_wanted = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.is_wanted}"


class MorningMailSent(models.Model):
    """One morning's mail to one person: written before it is sent, so that it never goes out twice."""

    class State(models.TextChoices):
        """What became of it."""

        SENDING = "sending"
        """Handed to the mail server, or the worker died while doing so: nobody knows, and it is not sent again."""
        SENT = "sent"
        FAILED = "failed"
        """Refused before the server took it; tried again."""
        EMPTY = "empty"
        """There was nothing to say."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        """One a person and day."""

        constraints = [models.UniqueConstraint(fields=["user", "day"], name="one_morning_mail")]

    def __str__(self) -> str:
        return f"{self.day} {self.state}"
