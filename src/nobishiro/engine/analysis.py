"""One analysis of one company at one day: every result, computed when first asked for and kept.

The facade over the rooms: intake's clean lines → understand → offer → decide. A run publishes an analysis; the commands
that take a single file make one without a workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from nobishiro.contracts.errors import UnknownName
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.results import RESULTS, PlanSummary, Thresholds
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.decide.leads import choose_leads, spend_told, told_gaps
from nobishiro.engine.decide.targets import YearTarget, target_of_year
from nobishiro.engine.intake.corrections import apply_corrections
from nobishiro.engine.intake.matching import apply_merges
from nobishiro.engine.offer.personal import recommend_in_parts
from nobishiro.engine.offer.together import find_pairs
from nobishiro.engine.settings import PlanSettings, Settings
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.understand.cleaned import CleanedLines, clean_lines
from nobishiro.engine.understand.features import customer_features
from nobishiro.engine.understand.gaps import build_gaps
from nobishiro.engine.understand.lwp import CustomerMap, build_map
from nobishiro.engine.understand.sales import Sales

# the solver and the model library take seconds to load; the commands that need neither must not wait for them
if TYPE_CHECKING:
    from nobishiro.engine.decide.plan import Plan
    from nobishiro.engine.understand.families import FamilyResult
    from nobishiro.engine.understand.potential import PotentialResult

STEPS: Final = ("lines", "families", "features", "potential", "map", "gaps", "pairs", "recommend", "plan")
"""What an analysis does, in order; the names that progress reports."""

_LARGE: Final = 1_000_000
"""A result with more rows than this is hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an analysis reads."""

    lines: pl.LazyFrame
    """Canonical order lines; at least customer_id, order_id, product_id, ordered_at. Ids may be text or integers."""
    tables: Mapping[str, pl.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    """The other canonical tables there are; one that is missing counts as empty."""
    files: Sequence[str] = ()
    """The Parquet files behind `lines`, where they can be streamed."""


class Analysis:
    """Results of one company as of one day; each is computed once, in the order of the flow, when it is first read."""

    def __init__(
        self,
        inputs: Inputs,
        as_of: date | None,
        settings: Settings,
        *,
        progress: ProgressReport = no_progress,
    ) -> None:
        self._inputs: Final = inputs
        self._wanted_as_of: Final = as_of
        self.settings: Final = settings
        self._progress: Final = progress
        self._leading: pl.DataFrame | None = None

    @property
    def as_of(self) -> date:
        """The day the analysis looks from, exclusive."""
        return self.sales.as_of

    def table(self, name: str) -> pl.DataFrame:
        """A canonical table as people corrected it, merged customers under the code that stays.

        Codes of customers and products take the type they have in the order lines.
        """
        declared = TABLES[name]
        frame = self._inputs.tables.get(name)
        if frame is None:
            frame = pl.DataFrame(schema=polars_schema(declared))
        corrections = self._inputs.tables.get("corrections")
        if corrections is not None and not corrections.is_empty():
            frame = apply_corrections(declared, frame, corrections)
        frame = frame.with_columns(
            pl.col(column).cast(kind, strict=False)
            for column, kind in self._id_types.items()
            if column in frame.columns and frame.schema[column] != kind
        )
        merges = self._merges
        if "customer_id" in frame.columns and name != "merges" and not merges.is_empty():
            frame = apply_merges(frame, merges)
            if declared.key == ("customer_id",):
                frame = frame.unique("customer_id", keep="first", maintain_order=True)
        return frame

    @cached_property
    def cleaned(self) -> CleanedLines:
        """Net sales and the account of what is none."""
        self._say("lines")
        return clean_lines(
            self._inputs.lines,
            products=self.table("products"),
            merges=self._merges,
            as_of=self._wanted_as_of,
            files=self._inputs.files,
        )

    @property
    def sales(self) -> Sales:
        """Net sales as arrays."""
        return self.cleaned.sales

    @cached_property
    def assignments(self) -> pl.DataFrame:
        """Who looks after whom: the canonical table, else the rep on each customer's latest order."""
        given = self.table("assignments")
        lines, names = self._inputs.lines, self._inputs.lines.collect_schema().names()
        if not given.is_empty() or "rep_id" not in names:
            return given
        customer = (
            pl.coalesce("end_customer_id", "customer_id") if "end_customer_id" in names else pl.col("customer_id")
        )
        latest = (
            lines.select(customer.alias("customer_id"), "rep_id", "ordered_at")
            .drop_nulls()
            .group_by("customer_id")
            .agg(pl.col("rep_id").sort_by("ordered_at", "rep_id").last())
            .sort("customer_id")
            .collect(engine="streaming")
        )
        if not self._merges.is_empty():
            latest = apply_merges(latest, self._merges).unique("customer_id", keep="first", maintain_order=True)
        return pl.concat([given, latest.with_columns(pl.lit("main").alias("role"))], how="diagonal_relaxed")

    @cached_property
    def families(self) -> FamilyResult:
        """Families given or learned, and the family of each product."""
        from nobishiro.engine.understand.families import learn_families

        sales = self.sales
        self._say("families")
        return learn_families(self.table("products"), sales, self.settings.families)

    @cached_property
    def features(self) -> pl.DataFrame:
        """RESULTS["customer_features"]."""
        families = self.families.product_families
        self._say("features")
        touches = self.table("touches")
        return customer_features(
            self.sales,
            self.as_of,
            touches=None if touches.is_empty() else touches,
            product_families=families.select("product_id", "family"),
        )

    @cached_property
    def potential(self) -> PotentialResult:
        """Potential by family and by customer."""
        from nobishiro.engine.understand.potential import estimate_potential

        families = self.families
        self._say("potential")
        found = estimate_potential(
            self.sales,
            families.product_families,
            self.table("facts"),
            self.table("customers"),
            self.settings.potential,
        )
        kind = self._id_types["customer_id"]
        return replace(
            found,
            by_family=found.by_family.with_columns(pl.col("customer_id").cast(kind)),
            by_customer=found.by_customer.with_columns(pl.col("customer_id").cast(kind)),
        )

    @cached_property
    def customer_map(self) -> CustomerMap:
        """RESULTS["positions"] and the thresholds."""
        features, potential = self.features, self.potential
        self._say("map")
        return build_map(
            self.table("customers"),
            features,
            potential.by_customer,
            tags=self.table("tags"),
            overrides=self.table("overrides"),
            assignments=self.assignments,
            deals=self.table("deals"),
            as_of=self.as_of,
            has_amounts=self.sales.has_amounts,
            settings=self.settings.map,
        )

    @property
    def positions(self) -> pl.DataFrame:
        """RESULTS["positions"]."""
        return self.customer_map.positions

    @property
    def thresholds(self) -> Thresholds:
        """Where the map is cut."""
        return self.customer_map.thresholds

    @cached_property
    def gaps(self) -> pl.DataFrame:
        """RESULTS["gaps"]."""
        positions = self.positions
        self._say("gaps")
        return build_gaps(
            positions,
            self.potential.by_family,
            proposals=self.table("proposals"),
            facts=self.table("facts"),
            product_families=self.families.product_families,
            as_of=self.as_of,
        )

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """RESULTS["pairs"]."""
        sales = self.sales
        self._say("pairs")
        return find_pairs(sales, self.settings.together)

    @cached_property
    def recommendations(self) -> pl.DataFrame:
        """RESULTS["recommendations"]."""
        return pl.concat(list(self.recommendation_parts()))

    def recommendation_parts(self) -> Iterator[pl.DataFrame]:
        """`recommendations` some customers at a time, for whoever writes them out without keeping them.

        All rows of two hundred thousand customers are gigabytes of sentences. What leads is kept, for the plan.
        """
        if "recommendations" in self.__dict__:
            yield self.recommendations
            return
        sales = self.sales
        self._say("recommend")
        leading = []
        for part in recommend_in_parts(sales, self.product_names, self.settings.recommend):
            leading.append(part.filter(pl.col("rank") == 1))
            yield part
        self._leading = pl.concat(leading)

    @property
    def leading_offers(self) -> pl.DataFrame:
        """The recommendations ranked first."""
        if self._leading is None:
            self._leading = self.recommendations.filter(pl.col("rank") == 1)
        return self._leading

    @cached_property
    def year_target(self) -> YearTarget:
        """The target of the year ahead and what comes by itself."""
        return target_of_year(self.table("targets"), float(self.features["amount_12m"].sum()), self.as_of)

    @cached_property
    def plan(self) -> Plan:
        """RESULTS["plan"] and how good it is."""
        return self.plan_with(self.settings.plan)

    def plan_with(self, settings: PlanSettings) -> Plan:
        """The plan under other settings than the workspace's, such as other hours or another mix."""
        from nobishiro.engine.decide.plan import make_plan

        families = self.families.product_families
        spend = spend_told(self.table("facts"), self.as_of)
        told = None if spend.is_empty() else told_gaps(self.gaps, spend, families, self._buyers(spend["family"]))
        leads = choose_leads(self.positions, self.leading_offers, families, told)
        year = self.year_target
        self._say("plan")
        return make_plan(
            self.positions,
            self.table("reps"),
            leads,
            target=year.target,
            on_course=year.on_course,
            settings=settings,
        )

    @property
    def plan_summary(self) -> PlanSummary:
        """How good the plan is."""
        return self.plan.summary

    @cached_property
    def product_names(self) -> pl.DataFrame:
        """product_id, name, price of every product of the master."""
        return self.table("products").select("product_id", "name", "price")

    def results(self) -> dict[str, pl.DataFrame]:
        """Every result table by its name in `contracts.results`, computed now."""
        return {name: self._result(name) for name in RESULTS}

    def results_in_parts(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Every result table by its name, at least one part each, each computed when it is asked for.

        A large gap matrix is let go of once it was taken: nothing later needs it, and asked for again it is computed
        again.
        """
        for name in RESULTS:
            if name == "recommendations":
                yield from ((name, part) for part in self.recommendation_parts())
            else:
                yield name, self._result(name)
            if name == "gaps" and self.gaps.height > _LARGE:
                del self.gaps

    def _buyers(self, families: pl.Series) -> pl.DataFrame:
        """(product_id, buyers): customers who ever bought each product of these families."""
        sales = self.sales
        wanted = self.families.product_families.filter(pl.col("family").is_in(families.unique().implode()))[
            "product_id"
        ]
        codes = np.flatnonzero(sales.products.is_in(wanted.implode()).to_numpy())
        lines = np.isin(sales.line_product, codes)
        bought = pl.DataFrame({"product": sales.line_product[lines], "customer": sales.line_customer[lines]})
        counts = bought.filter(pl.col("customer") >= 0).group_by("product").agg(buyers=pl.col("customer").n_unique())
        return counts.select(sales.products.gather(counts["product"]).alias("product_id"), "buyers")

    def _result(self, name: str) -> pl.DataFrame:
        match name:
            case "families":
                return self.families.families
            case "product_families":
                return self.families.product_families
            case "customer_features":
                return self.features
            case "potential":
                return self.potential.by_family
            case "customer_potential":
                return self.potential.by_customer
            case "plan":
                return self.plan.actions
            case "positions":
                return self.positions
            case "gaps":
                return self.gaps
            case "pairs":
                return self.pairs
            case "recommendations":
                return self.recommendations
        raise UnknownName(f"there is no result table {name!r}; there are {', '.join(RESULTS)}")

    @cached_property
    def _merges(self) -> pl.DataFrame:
        merges = self._inputs.tables.get("merges")
        return pl.DataFrame(schema=polars_schema(TABLES["merges"])) if merges is None else merges

    @cached_property
    def _id_types(self) -> dict[str, pl.DataType]:
        schema = self._inputs.lines.collect_schema()
        return {name: schema[name] for name in ("customer_id", "product_id")}

    def _say(self, step: str) -> None:
        self._progress(step, STEPS.index(step), len(STEPS))
