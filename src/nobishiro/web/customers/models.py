"""Customers as pages need them, and what people learned, set and decided about them.

`Customer`, `Owner`, `Contact` and `Family` are a projection: written only by `customers.projection` from the store's masters and
the latest run, so that lists can be filtered, sorted and joined. Everything else here is what people did; it is the source of
the canonical tables facts, tags, corrections, merges, overrides (`customers.people_source` hands them to a run). Rows of those
tables that came by an import stay in the store and are projected here with their `import_id`, so that a page reads one place.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from nobishiro.web.people.models import Division, Rep

QUADRANTS = [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")]


class Customer(models.Model):
    """One customer of the list (U3), with where they stand. Projection."""

    code = models.CharField(max_length=200, unique=True)
    """`customer_id` of the store. `pk` stays the same as long as the code exists and is what addresses use."""
    name = models.CharField(max_length=400)
    kana = models.CharField(max_length=400, blank=True)
    search = models.TextField(blank=True)
    """Name, reading, code, phone in NFKC, lower case, for the search box."""
    kind = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=10, blank=True)
    industry = models.CharField(max_length=200, blank=True)
    prefecture = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=500, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    employees = models.BigIntegerField(null=True)
    main_rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    main_division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="+")
    is_listed = models.BooleanField(default=True)
    """False once the store no longer holds the code (undone import, merged away)."""
    merged_into = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="merged")

    quadrant = models.CharField(max_length=1, blank=True, choices=QUADRANTS)
    """What counts: override, tags, computed; empty when unknown. An override made since the run is already in."""
    quadrant_computed = models.CharField(max_length=1, blank=True)
    decided_by = models.CharField(max_length=10, blank=True)
    potential = models.FloatField(null=True)
    potential_low = models.FloatField(null=True)
    potential_high = models.FloatField(null=True)
    potential_basis = models.CharField(max_length=10, blank=True)
    track_record = models.FloatField(null=True)
    orders_12m = models.IntegerField(null=True)
    recency_days = models.IntegerField(null=True)
    last_order_day = models.DateField(null=True)
    last_touch_day = models.DateField(null=True)
    """Latest touch, those entered here since the run included."""
    touch_hours_12m = models.FloatField(null=True)
    coverage = models.PositiveSmallIntegerField(null=True)
    """把握度: how many of the facts that matter are known and fresh (of `facts.IMPORTANT`)."""
    nps = models.FloatField(null=True)
    """Latest NPS, rolled up over contacts (key persons first); None is unknown, not detractor."""
    missed_families = models.PositiveSmallIntegerField(default=0)
    """Families proposed never, with room (提案もれ)."""
    expected_missed = models.FloatField(null=True)

    class Meta:
        """What lists filter and sort by."""

        indexes = [
            models.Index(fields=["is_listed", "quadrant", "-potential"], name="cust_quadrant"),
            models.Index(fields=["is_listed", "main_rep", "quadrant"], name="cust_rep"),
            models.Index(fields=["is_listed", "kana", "name"], name="cust_kana"),
            models.Index(fields=["is_listed", "-potential"], name="cust_potential"),
            models.Index(fields=["is_listed", "-track_record"], name="cust_track"),
            models.Index(fields=["is_listed", "last_touch_day"], name="cust_touch"),
            models.Index(fields=["is_listed", "-expected_missed", "-potential"], name="cust_expected"),
            models.Index(fields=["is_listed", "-missed_families"], name="cust_missed"),
        ]

    def __str__(self) -> str:
        return self.name


class Owner(models.Model):
    """当社担当: customer × division × rep × role. Projection of `assignments`."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="owners")
    division = models.ForeignKey(Division, on_delete=models.CASCADE, related_name="+")
    rep = models.ForeignKey(Rep, on_delete=models.CASCADE, related_name="owned")
    role = models.CharField(max_length=12)

    class Meta:
        """One row a tie."""

        constraints = [models.UniqueConstraint(fields=["customer", "division", "rep", "role"], name="one_owner")]

    def __str__(self) -> str:
        return f"{self.rep} {self.role}"


class Contact(models.Model):
    """A person at a customer. Projection of `contacts`."""

    code = models.CharField(max_length=200, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    family_name = models.CharField(max_length=100, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    department = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    is_key_person = models.BooleanField(default=False)
    nps = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.family_name} {self.given_name}".strip()


class Family(models.Model):
    """商品群, with the division that sells it. Projection of the run's `families`."""

    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=400)
    division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="families")
    is_learned = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=True)

    class Meta:
        """By name."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PersonsWord(models.Model):
    """Something a person said about a customer; kept for ever, the newest counts."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="%(class)ss")
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_by_name = models.CharField(max_length=200, blank=True)
    set_at = models.DateTimeField()
    import_id = models.CharField(max_length=100, blank=True)
    """The import it came by; empty for what was entered here."""
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        """No table of its own."""

        abstract = True


class Fact(PersonsWord):
    """One thing known about a customer, with source, date and who learned it."""

    fact = models.CharField(max_length=60)
    """chosen_reason, previous_supplier, total_spend …: see the canonical table `facts`."""
    subject = models.CharField(max_length=200, default="-")
    """Family or product it is about; `-` for the customer as a whole."""
    value = models.TextField(blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    learned_on = models.DateField()
    source = models.CharField(max_length=60, blank=True)
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """By customer and fact."""

        indexes = [
            models.Index(fields=["customer", "fact", "-learned_on"], name="fact_customer"),
            models.Index(fields=["-learned_on"], name="fact_learned"),
            models.Index(fields=["-set_at"], name="fact_set"),
        ]

    def __str__(self) -> str:
        return f"{self.fact}: {self.value}"


class Tag(PersonsWord):
    """What, Pace, visits, relation ◎○△, or a name of the company's own, set by a person."""

    tag = models.CharField(max_length=60)
    """`what`, `pace`, `visits`, `relation`, or free. A relation per rep is `relation` with `rep` set."""
    value = models.CharField(max_length=100)
    reason = models.CharField(max_length=500, blank=True)
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """By customer and tag."""

        indexes = [models.Index(fields=["customer", "tag", "-set_at"], name="tag_customer")]

    def __str__(self) -> str:
        return f"{self.tag}={self.value}"


class Override(PersonsWord):
    """A person's word over a computed one, with the reason."""

    measure = models.CharField(max_length=20)
    """quadrant, potential or track_record."""
    value = models.CharField(max_length=100)
    reason = models.CharField(max_length=500)

    class Meta:
        """By customer and measure."""

        indexes = [models.Index(fields=["customer", "measure", "-set_at"], name="override_customer")]

    def __str__(self) -> str:
        return f"{self.measure}={self.value}"


class Correction(models.Model):
    """A person's correction of one field of an imported row; it wins over later imports, and both are kept."""

    table_name = models.CharField(max_length=60)
    row_key = models.CharField(max_length=400)
    column_name = models.CharField(max_length=60)
    value = models.TextField(blank=True)
    imported_value = models.TextField(blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_by_name = models.CharField(max_length=200, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        """One correction a field."""

        constraints = [models.UniqueConstraint(fields=["table_name", "row_key", "column_name"], name="one_correction")]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key} {self.column_name}"


class Hypothesis(models.Model):
    """What we think a customer could take: product × amount × grounds; later verified or dropped."""

    class State(models.TextChoices):
        """How it stands."""

        OPEN = "open"
        TRUE = "true"
        FALSE = "false"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="hypotheses")
    family = models.CharField(max_length=200)
    product_code = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=0, null=True)
    grounds = models.TextField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_by_name = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=5, choices=State.choices, default=State.OPEN)
    verified_by_name = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True)
    verdict = models.TextField(blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.family}: {self.grounds[:40]}"


class Touch(models.Model):
    """A contact entered here (a tap, a daily report, a hearing). Handed to the store's `touches` when a run starts."""

    code = models.CharField(max_length=100, unique=True)
    """`web-` and the id the client made: a tap sent twice is one touch."""
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="touches")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=10)
    direction = models.CharField(max_length=10, default="outbound")
    happened_at = models.DateTimeField()
    minutes = models.FloatField(null=True)
    subject = models.CharField(max_length=400, blank=True)
    note = models.TextField(blank=True)
    is_private = models.BooleanField(default=False)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        """By customer, newest first."""

        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="touch_customer"),
            models.Index(fields=["rep", "-happened_at"], name="touch_rep"),
            models.Index(fields=["-happened_at"], name="touch_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at:%Y-%m-%d}"


class Outcome(models.Model):
    """What came of a proposal: one tap. Source of the canonical `outcomes`, and of `proposals` made here."""

    code = models.CharField(max_length=100, unique=True)
    """Made by the client, so that a tap never counts twice."""
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="outcomes")
    family = models.CharField(max_length=200, blank=True)
    product_code = models.CharField(max_length=200, blank=True)
    offer_kind = models.CharField(max_length=15, blank=True)
    play = models.CharField(max_length=100, blank=True)
    channel = models.CharField(max_length=10, default="visit")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    touch = models.ForeignKey(Touch, null=True, on_delete=models.SET_NULL, related_name="outcomes")
    happened_at = models.DateTimeField()
    result = models.CharField(max_length=12)
    """open (提案した), considering (検討中), won (受注), declined (お断り), dismissed (今回は出さない), referred (社内紹介)."""
    reason = models.CharField(max_length=400, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=0, null=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    """Undone; kept, so that the same tap sent again stays undone."""

    class Meta:
        """By customer, newest first."""

        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="outcome_customer"),
            models.Index(fields=["rep", "-happened_at"], name="outcome_rep"),
            models.Index(fields=["-happened_at"], name="outcome_day"),
            models.Index(fields=["-entered_at"], name="outcome_entered"),
        ]

    def __str__(self) -> str:
        return f"{self.result} {self.customer_id}"


class Action(models.Model):
    """やること: one thing a rep is to do by a day, with an outcome. Made by the plan and by people in any room."""

    class State(models.TextChoices):
        """How it stands."""

        OPEN = "open"
        DONE = "done"
        DROPPED = "dropped"
        """No longer wanted (the plan changed, the customer left); not a refusal."""

    class Kind(models.TextChoices):
        """What is to be done."""

        PROPOSE = "propose"
        ASK = "ask"
        """聞き直し, or a question of the karte."""
        RELATE = "relate"
        """Build the relation first: no offer."""
        SERVE = "serve"
        """A detractor or an open complaint: service and not an offer."""
        FOLLOW = "follow"
        """Follow what was begun: a referral, a considered offer."""

    source_key = models.CharField(max_length=200, unique=True)
    """Who made it and for what (`plan:<run>:<rep>:<customer>`, `map:<uuid>` …): making it twice makes one."""
    source = models.CharField(max_length=20)
    """plan, map, gaps, karte, referral, relisten or process."""
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PROPOSE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="actions")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="actions")
    due = models.DateField(null=True)
    rank = models.IntegerField(default=1000)
    """1 is first for this rep; what people made goes before what the plan made when due earlier."""
    channel = models.CharField(max_length=10, default="visit")
    hours = models.FloatField(null=True)
    family = models.CharField(max_length=200, blank=True)
    product_code = models.CharField(max_length=200, blank=True)
    offer_kind = models.CharField(max_length=15, blank=True)
    title = models.CharField(max_length=400, blank=True)
    """What a person wrote; empty when the offer says it all."""
    why_ja = models.TextField(blank=True)
    why_en = models.TextField(blank=True)
    expected = models.FloatField(null=True)
    expected_low = models.FloatField(null=True)
    expected_high = models.FloatField(null=True)
    play = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    outcome = models.ForeignKey(Outcome, null=True, on_delete=models.SET_NULL, related_name="actions")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """A rep's open ones in order."""

        indexes = [
            models.Index(fields=["rep", "state", "rank"], name="action_rep"),
            models.Index(fields=["customer", "state"], name="action_customer"),
            models.Index(fields=["state", "due"], name="action_due"),
            models.Index(fields=["state", "-expected"], name="action_expected"),
            models.Index(fields=["source", "rank"], name="action_rank"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.customer_id}"


class Projection(models.Model):
    """Which commit and run the projection shows; one row, `pk` 1."""

    commit = models.BigIntegerField(default=0)
    run_id = models.CharField(max_length=100, blank=True)
    as_of = models.DateField(null=True)
    projected_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.run_id

    @classmethod
    def current(cls) -> Projection:
        """The one row; before the first projection, one that says nothing."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
