"""名寄せ: which customer codes are one customer, which might be, and which are branches of another.

Certain only with evidence that two customers cannot share by chance; never by a name alone, never across two corporate
numbers, never a branch with its company. The whole customer table is compared, not only what an import brings in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.company_names import ends_in_branch
from nobishiro.engine.intake.match_candidates import (
    PAIR_SCHEMA,
    pair_across_missing_prefecture,
    pair_near_names,
    pair_neighbours,
    pair_within_components,
)
from nobishiro.engine.intake.match_evidence import compare_customers
from nobishiro.engine.intake.match_groups import CustomerGroups, staying_code
from nobishiro.engine.intake.match_keys import PLACES, match_keys
from nobishiro.engine.intake.merges import Decisions, apply_merges, merge_roots, read_decisions
from nobishiro.engine.settings import ImportSettings

__all__ = ["MatchResult", "apply_merges", "find_matches"]

RULES: Final = ("xref", "corporate_number", "name_address", "name_phone", "name_domain")
"""Rules of certain pairs, strongest first."""
_RULE_JA: Final = {
    "xref": "得意先コードの対照表による",
    "corporate_number": "法人番号が同じ",
    "name_address": "名称と住所が同じ",
    "name_phone": "名称と電話番号が同じ",
    "name_domain": "名称とメールドメインが同じ",
}
_RULE_EN: Final = {
    "xref": "named in the customer-code cross-reference",
    "corporate_number": "same corporate number",
    "name_address": "same name and address",
    "name_phone": "same name and phone",
    "name_domain": "same name and mail domain",
}
_NEAR_WITH_EVIDENCE: Final = 65.0
"""Names this alike are listed when a place agrees as well."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """What the comparison found; nothing is changed by it."""

    certain: pl.DataFrame
    """customer_id, into_customer_id, rule, evidence_ja, evidence_en: one row per code to fold away, straight into its
    root. As rows of `merges` (evidence = either text, decided_by = `rule`) they take effect and can be taken back."""
    ambiguous: pl.DataFrame
    """customer_id, other_customer_id, score (0–1), rule, agrees_ja, agrees_en, differs_ja, differs_en; best first. For
    a person; saying yes merges the first code into the second."""
    parents: pl.DataFrame
    """customer_id, parent_customer_id, evidence_ja, evidence_en: branches whose company is in the table as well."""


def find_matches(
    customers: pl.DataFrame,
    xref: pl.DataFrame | None = None,
    decided: pl.DataFrame | None = None,
    settings: ImportSettings | None = None,
    *,
    orders: pl.DataFrame | None = None,
) -> MatchResult:
    """Customer codes that are one customer for certain, pairs for a person to judge, and branches with their company.

    `customers` is the canonical table; `customer_id` and `name` are needed, every other column helps. `xref` maps old
    codes to new ones (`old_customer_id`, `new_customer_id`). `decided` is the `merges` table: merges in it hold and are
    not repeated, refusals in it (evidence `different`, or a code merged into itself) are respected, and a code
    merged there is merged nowhere else. `orders` has `customer_id` and `orders`, to keep the code with the most.

    Certain, in this order: a row of `xref`; the same valid corporate number; the same normalised name and the same
    address, phone or (companies only) mail domain. Two different corporate numbers veto any merge. The same name at
    another branch is never a duplicate but may be a `parents` row. Where a code could go to two groups that a veto, a
    refusal or a legal form keeps apart, it goes to neither and is listed. A name or a phone alone is only listed, for
    persons not even that. Raises `MappingIncomplete` when a needed column is missing.
    """
    settings = settings or ImportSettings()
    keys = match_keys(customers, settings.match_max_shared)
    decisions = read_decisions(decided)
    old_to_new = _cross_reference(xref)
    known = keys["customer_id"].to_list()
    extra = {*decisions.merged, *decisions.merged.values(), *old_to_new, *old_to_new.values()} - set(known)
    codes = known + sorted(extra)
    node_of = {code: node for node, code in enumerate(codes)}
    corporate = keys["corporate"].to_list() + [None] * len(extra)
    different = {(node_of[a], node_of[b]) for a, b in decisions.different if a in node_of and b in node_of}
    # what a person merged into a code that stands alone stands alone with it
    with_them = {code for code, root in merge_roots(decisions.merged).items() if root in decisions.alone}
    alone = {node_of[code] for code in decisions.alone | with_them if code in node_of}

    edges = _edges(keys.filter(~pl.col("node").is_in(alone)), node_of, old_to_new, alone)
    certain, doubtful = _separate(edges, keys, node_of, decisions, different)
    groups = CustomerGroups(corporate, different)
    for old, new in decisions.merged.items():
        groups.join(node_of[new], node_of[old], checked=False)
    folded = {node_of[old] for old in decisions.merged}
    refused = []
    for left, right, rule in certain.iter_rows():
        if not groups.join(right, left):
            refused.append((left, right, rule))
        elif rule == "xref":
            folded.add(left)
    doubtful = pl.concat([doubtful, pl.DataFrame(refused, schema=PAIR_SCHEMA, orient="row")])
    sizes = _order_counts(orders)
    roots = _roots(groups, codes, folded, corporate, sizes)
    return MatchResult(
        certain=_certain_rows(certain, keys, codes, roots, decisions),
        ambiguous=_ambiguous_rows(doubtful, keys, codes, roots, alone, different, corporate, sizes, settings),
        parents=_parent_rows(keys, codes, roots),
    )


def _cross_reference(xref: pl.DataFrame | None) -> dict[str, str]:
    if xref is None or xref.height == 0:
        return {}
    for old, new in (("old_customer_id", "new_customer_id"), ("customer_id", "into_customer_id")):
        if old in xref.columns and new in xref.columns:
            rows = xref.select(pl.col(old, new).cast(pl.String)).drop_nulls()
            return {code: into for code, into in rows.iter_rows() if code != into}
    raise MappingIncomplete("the cross-reference needs the columns old_customer_id and new_customer_id")


def _edges(
    keys: pl.DataFrame,
    node_of: Mapping[str, int],
    old_to_new: Mapping[str, str],
    alone: set[int],
) -> pl.DataFrame:
    """Pairs that a rule of certainty joins, strongest rule first; within a group only neighbours are paired."""
    listed = [(node_of[old], node_of[new], "xref") for old, new in old_to_new.items()]
    parts = [pl.DataFrame(listed, schema=PAIR_SCHEMA, orient="row")]
    # A branch the name alone does not show (no head office in the table) still is one: it pairs with its equals only.
    place = pl.when(pl.col("core").map_elements(ends_in_branch, return_dtype=pl.Boolean)).then("core")
    numbered = keys.filter(pl.col("corporate").is_not_null()).with_columns(unit=pl.coalesce("unit", place))
    parts.append(pair_neighbours(numbered, ["corporate", "unit"], "corporate_number"))
    named = keys.filter(pl.col("core").is_not_null())
    for name in PLACES:
        same = ["core", "unit", "person", name, *(["prefecture"] if name == "address" else [])]
        parts.append(pair_neighbours(named.filter(pl.col(name).is_not_null()), same, f"name_{name}"))
    address = named.filter(pl.col("address").is_not_null())
    # The prefecture is often left out of one of two spellings; where it is given twice it must agree.
    parts.append(pair_across_missing_prefecture(address))
    return pl.concat(parts).filter(~pl.col("left").is_in(alone), ~pl.col("right").is_in(alone))


def _separate(
    edges: pl.DataFrame,
    keys: pl.DataFrame,
    node_of: Mapping[str, int],
    decisions: Decisions,
    different: set[tuple[int, int]],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Edges that hold, and those a person must judge because their group reaches across a veto.

    Where a connected group holds two corporate numbers or two legal forms, name edges hold only between rows equal in
    both; where it holds a pair a person called different, none of them does.
    """
    count = len(node_of)
    held = [(node_of[old], node_of[new]) for old, new in decisions.merged.items()]
    left = np.concatenate([edges["left"].to_numpy(), np.array([a for a, _ in held], dtype=np.int64)])
    right = np.concatenate([edges["right"].to_numpy(), np.array([b for _, b in held], dtype=np.int64)])
    graph = coo_array((np.ones(left.size, dtype=np.int8), (left, right)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    component = component.astype(np.int64)
    known = keys.select("node", "corporate", "form").with_columns(component=pl.Series(component[: keys.height]))
    mixed = known.group_by("component").agg(
        numbers=pl.col("corporate").drop_nulls().n_unique(), forms=pl.col("form").drop_nulls().n_unique()
    )
    torn = {int(component[a]) for a, b in different if component[a] == component[b]}
    table = edges.with_columns(component=pl.Series(component[edges["left"].to_numpy()]))
    table = table.join(mixed, on="component", how="left", maintain_order="left")
    for side in ("left", "right"):
        table = table.join(
            known.select("node", pl.col("corporate").alias(f"corporate_{side}"), pl.col("form").alias(f"form_{side}")),
            left_on=side,
            right_on="node",
            how="left",
            maintain_order="left",
        )
    strong = pl.col("rule").is_in(["xref", "corporate_number"])
    alike = pl.col("corporate_left").eq_missing(pl.col("corporate_right")) & pl.col("form_left").eq_missing(
        "form_right"
    )
    calm = (pl.col("numbers").fill_null(0) <= 1) & (pl.col("forms").fill_null(0) <= 1)
    unasked = ~pl.col("component").is_in(torn)
    table = table.with_columns(holds=strong | (unasked & (calm | alike)))
    columns = ["left", "right", "rule"]
    open_ = table.filter(~pl.col("holds"))
    everyone = pair_within_components(known.filter(pl.col("component").is_in(open_["component"].unique().implode())))
    return table.filter("holds").select(columns), pl.concat([open_.select(columns), everyone])


def _order_counts(orders: pl.DataFrame | None) -> dict[str, int]:
    if orders is None:
        return {}
    rows = orders.select(pl.col("customer_id").cast(pl.String), pl.col("orders").cast(pl.Int64)).drop_nulls()
    return dict(rows.iter_rows())


def _roots(
    groups: CustomerGroups,
    codes: list[str],
    folded: set[int],
    corporate: list[str | None],
    sizes: Mapping[str, int],
) -> npt.NDArray[np.int64]:
    """(nodes,) the node each one ends up as."""
    roots = np.arange(len(codes), dtype=np.int64)
    for members in groups.groups():
        roots[members] = staying_code(members, codes, folded, corporate, sizes)
    return roots


def _certain_rows(
    certain: pl.DataFrame,
    keys: pl.DataFrame,
    codes: list[str],
    roots: npt.NDArray[np.int64],
    decisions: Decisions,
) -> pl.DataFrame:
    """One row per code that a rule folds away and no decision had."""
    moved = np.flatnonzero(roots != np.arange(roots.size))
    fresh = np.array([node for node in moved if codes[node] not in decisions.merged], dtype=np.int64)
    rank = {rule: place for place, rule in enumerate(RULES)}
    ends = pl.concat([certain, certain.select(left="right", right="left", rule="rule")])
    best = (
        ends.with_columns(
            rank=pl.col("rule").replace_strict(rank, return_dtype=pl.Int64),
            direct=pl.col("right") == pl.Series(roots)[ends["left"]],
        )
        .sort(["left", "direct", "rank", "right"], descending=[False, True, False, False])
        .unique("left", keep="first", maintain_order=True)
    )
    pairs = pl.DataFrame({"left": fresh, "root": roots[fresh]}).join(best, on="left", how="left", maintain_order="left")
    # A decided root that goes on to another one has no edge of its own: its group's members had.
    pairs = pairs.with_columns(pl.col("right").fill_null(pl.col("root")))
    told = compare_customers(pairs, keys)
    code = pl.Series(codes, dtype=pl.String)
    told = told.with_columns(
        customer_id=code.gather(told["left"]),
        into_customer_id=code.gather(told["root"]),
        partner=code.gather(told["right"]),
    )
    via = pl.col("right") != pl.col("root")
    nothing = pl.lit("")
    return told.select(
        "customer_id",
        "into_customer_id",
        pl.col("rule").fill_null("chain"),
        evidence_ja=pl.concat_str(
            pl.col("rule").replace_strict(_RULE_JA, default="統合先がさらに統合された", return_dtype=pl.String),
            pl.when(pl.col("agrees_ja") != "").then(pl.format("。一致: {}", "agrees_ja")).otherwise(nothing),
            pl.when(pl.col("differs_ja") != "").then(pl.format("。相違: {}", "differs_ja")).otherwise(nothing),
            pl.when(via).then(pl.format("({}を介して)", "partner")).otherwise(nothing),
        ),
        evidence_en=pl.concat_str(
            pl.col("rule").replace_strict(
                _RULE_EN, default="the code it stood for was merged on", return_dtype=pl.String
            ),
            pl.when(pl.col("agrees_en") != "").then(pl.format("; agree: {}", "agrees_en")).otherwise(nothing),
            pl.when(pl.col("differs_en") != "").then(pl.format("; differ: {}", "differs_en")).otherwise(nothing),
            pl.when(via).then(pl.format(" (by way of {})", "partner")).otherwise(nothing),
        ),
    ).sort("into_customer_id", "customer_id")


def _ambiguous_rows(
    doubtful: pl.DataFrame,
    keys: pl.DataFrame,
    codes: list[str],
    roots: npt.NDArray[np.int64],
    alone: set[int],
    different: set[tuple[int, int]],
    corporate: list[str | None],
    sizes: Mapping[str, int],
    settings: ImportSettings,
) -> pl.DataFrame:
    """Pairs for a person, one per two groups, best first."""
    companies = keys.filter(~pl.col("person"), pl.col("core").is_not_null())
    phones = keys.filter(pl.col("phone").is_not_null(), pl.col("core").is_not_null())
    parts = [
        doubtful,
        pair_neighbours(companies.filter(pl.col("corporate").is_not_null()), ["corporate"], "same_number"),
        pair_neighbours(companies, ["core", "unit"], "name"),
        pair_neighbours(phones, ["phone"], "phone"),
        *(
            pair_neighbours(companies.filter(pl.col(name).is_not_null()), [name], f"near_name_{name}")
            for name in ("address", "domain")
        ),
        pair_near_names(companies, settings.match_near_name),
    ]
    pairs = pl.concat(parts).unique(["left", "right"], keep="first", maintain_order=True)
    places = pl.Series(roots)
    pairs = pairs.with_columns(left_root=places.gather(pairs["left"]), right_root=places.gather(pairs["right"]))
    pairs = pairs.filter(
        pl.col("left_root") != pl.col("right_root"), ~pl.col("left").is_in(alone), ~pl.col("right").is_in(alone)
    )
    kept_apart = {(int(roots[a]), int(roots[b])) for a, b in different}
    kept_apart |= {(b, a) for a, b in kept_apart}
    if kept_apart:
        barred = pl.DataFrame(sorted(kept_apart), schema={"left_root": pl.Int64, "right_root": pl.Int64}, orient="row")
        pairs = pairs.join(barred, on=["left_root", "right_root"], how="anti")
    told = compare_customers(pairs, keys)
    evidence = pl.any_horizontal("same_address", "same_phone", "same_domain")
    elsewhere = pl.any_horizontal("differs_address", "differs_phone") & ~evidence
    branch = pl.col("same_core") & pl.col("differs_unit")
    persons = pl.col("person_l").fill_null(False) & pl.col("person_r").fill_null(False)
    strong = pl.col("rule").is_in(RULES)
    near = pl.col("similarity") >= _NEAR_WITH_EVIDENCE
    worth = (
        pl.when(strong | pl.col("rule").is_in(["name", "same_number"])).then(pl.lit(True))
        .when(pl.col("rule") == "phone").then(pl.when(persons).then(near).otherwise(~pl.col("differs_kind")))
        .when(pl.col("rule") == "near_name").then(~elsewhere & ~pl.col("differs_form"))
        .otherwise(near)
    )  # fmt: skip
    told = told.filter(~pl.col("differs_corporate"), ~branch | strong, worth).with_columns(
        score=(
            0.5 * pl.col("similarity") / 100
            + 0.3 * pl.col("same_corporate")
            + 0.2 * pl.col("same_address")
            + 0.2 * pl.col("same_phone")
            + 0.1 * pl.col("same_domain")
            - 0.1 * (pl.col("differs_address") & ~evidence)
            - 0.1 * (pl.col("differs_phone") & ~evidence)
            - 0.1 * pl.col("differs_form")
        )
        .clip(0.0, 1.0)
        .round(3)
    )
    told = told.with_columns(
        low=pl.min_horizontal("left_root", "right_root"), high=pl.max_horizontal("left_root", "right_root")
    )
    told = told.sort(["score", "low", "high", "left", "right"], descending=[True, False, False, False, False])
    told = told.unique(["low", "high"], keep="first", maintain_order=True)
    stay = [
        staying_code([left, right], codes, set(), corporate, sizes)
        for left, right in told.select("left", "right").iter_rows()
    ]
    stays = pl.Series(stay, dtype=pl.Int64)
    goes = told["left"] + told["right"] - stays
    code = pl.Series(codes, dtype=pl.String)
    rows = told.with_columns(customer_id=code.gather(goes), other_customer_id=code.gather(stays))
    names = ("customer_id", "other_customer_id", "score", "rule", "agrees_ja", "agrees_en", "differs_ja", "differs_en")
    return rows.select(names)


def _parent_rows(keys: pl.DataFrame, codes: list[str], roots: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Branches without a parent whose company is one customer of the table, found by corporate number, else by name."""
    root = pl.Series(roots[: keys.height])
    rows = keys.with_columns(root=root).filter(~pl.col("person"))
    heads = rows.filter(pl.col("unit").is_null(), pl.col("node") == pl.col("root"))
    branches = rows.filter(pl.col("unit").is_not_null(), pl.col("node") == pl.col("root"), pl.col("parent").is_null())
    found = []
    for key, ja, en in (
        ("corporate", "法人番号が同じ会社", "same corporate number"),
        ("core", "名称が同じ会社", "same name"),
    ):
        single = heads.filter(pl.col(key).is_not_null(), pl.len().over(key) == 1)
        pairs = branches.join(single.select(key, head="node", head_corporate="corporate"), on=key)
        if key == "core":
            pairs = pairs.filter((pl.col("corporate") == pl.col("head_corporate")).fill_null(True))
        found.append(pairs.select("node", "head", "unit", ja=pl.lit(ja), en=pl.lit(en)))
    pairs = pl.concat(found).unique("node", keep="first", maintain_order=True)
    code = pl.Series(codes, dtype=pl.String)
    return pairs.select(
        code.gather(pairs["node"]).alias("customer_id"),
        code.gather(pairs["head"]).alias("parent_customer_id"),
        evidence_ja=pl.format("{}の拠点「{}」", "ja", "unit"),
        evidence_en=pl.format("{}, branch {}", "en", "unit"),
    ).sort("customer_id")
