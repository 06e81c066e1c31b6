import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.engine.intake.corporate_numbers import check_digit
from nobishiro.engine.intake.matching import apply_merges, find_matches
from nobishiro.engine.settings import ImportSettings

COLUMNS = ("name", "corporate_number", "address", "phone", "mail_domain", "kind", "parent_customer_id")
FIRST, SECOND = "1180301018771", "8700110005901"
HERE, THERE = "東京都港区芝1-2-3", "大阪市北区梅田3-1-1"


def customers(**rows):
    table = [{"customer_id": code, **dict.fromkeys(COLUMNS), **fields} for code, fields in rows.items()]
    return pl.DataFrame(table, schema=dict.fromkeys(("customer_id", *COLUMNS), pl.String))


def firm(name, **fields):
    return {"name": name, **fields}


def certain(result):
    return dict(result.certain.select("customer_id", "into_customer_id").iter_rows())


def listed(result):
    return {frozenset(pair) for pair in result.ambiguous.select("customer_id", "other_customer_id").iter_rows()}


def test_same_corporate_number_is_certain_whatever_the_spelling():
    result = find_matches(
        customers(
            a=firm("株式会社山田製作所", corporate_number=FIRST),
            b=firm("Yamada Works", corporate_number="T1180301018771", address=THERE),
        )
    )
    assert result.certain.select("customer_id", "into_customer_id", "rule").rows() == [("b", "a", "corporate_number")]


def test_number_with_a_wrong_check_digit_is_no_evidence():
    wrong = "2180301018771"
    result = find_matches(customers(a=firm("山田", corporate_number=wrong), b=firm("田中", corporate_number=wrong)))
    assert certain(result) == {} and listed(result) == set()


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("name_address", {"address": "東京都港区芝一丁目2番3号"}, {"address": "港区芝１－２－３ 芝ビル2階"}),
        ("name_phone", {"phone": "03-1234-5678"}, {"phone": "+81 3 1234 5678"}),
        ("name_domain", {"mail_domain": "yamada.co.jp"}, {"mail_domain": "info@yamada.co.jp"}),
    ],
)
def test_name_with_one_more_agreement_is_certain(rule, one, other):
    result = find_matches(customers(a=firm("株式会社髙島工業", **one), b=firm("高島工業㈱", **other)))
    assert result.certain.select("customer_id", "into_customer_id", "rule").rows() == [("b", "a", rule)]


def test_different_corporate_numbers_veto_any_merge():
    same = {"address": HERE, "phone": "03-1234-5678"}
    table = customers(
        a=firm("山田商事", corporate_number=FIRST, **same), b=firm("山田商事", corporate_number=SECOND, **same)
    )
    result = find_matches(table, xref=pl.DataFrame({"old_customer_id": ["b"], "new_customer_id": ["a"]}))
    assert certain(result) == {} and listed(result) == set()


def test_code_between_two_corporate_numbers_goes_to_neither():
    same = {"address": HERE}
    result = find_matches(
        customers(
            a=firm("山田商事", corporate_number=FIRST, **same),
            b=firm("山田商事", **same),
            c=firm("山田商事", corporate_number=SECOND, **same),
        )
    )
    assert certain(result) == {}
    assert listed(result) == {frozenset("ab"), frozenset("bc")}


def test_name_alone_and_phone_alone_are_only_listed():
    result = find_matches(
        customers(
            a=firm("山田商事"),
            b=firm("山田商事㈱"),
            c=firm("北海運輸", phone="03-1234-5678"),
            d=firm("ミライ食品", phone="0312345678"),
        )
    )
    assert certain(result) == {}
    assert listed(result) == {frozenset("ab"), frozenset("cd")}


def test_different_legal_forms_are_two_bodies_until_a_person_says_otherwise():
    result = find_matches(
        customers(a=firm("株式会社サンライズ", address=HERE), b=firm("有限会社サンライズ", address=HERE))
    )
    assert certain(result) == {}
    row = result.ambiguous.row(0, named=True)
    assert row["agrees_ja"] == "名称・住所" and row["differs_ja"] == "法人格"
    assert row["agrees_en"] == "name, address" and row["differs_en"] == "legal form"


def test_branch_is_never_a_duplicate_but_has_a_company():
    same = {"corporate_number": FIRST, "address": HERE, "phone": "03-1234-5678"}
    result = find_matches(
        customers(
            a=firm("株式会社山田製作所", **same),
            b=firm("株式会社山田製作所 大阪支店", **same),
            c=firm("山田製作所株式会社大阪営業所", **same),
            d=firm("山田製作所西脇営業所"),
            e=firm("山田製作所 横浜支店", parent_customer_id="b"),
        )
    )
    assert certain(result) == {} and listed(result) == set()
    assert dict(result.parents.select("customer_id", "parent_customer_id").iter_rows()) == {
        "b": "a",
        "c": "a",
        "d": "a",
    }


def test_same_branch_twice_is_a_duplicate():
    result = find_matches(
        customers(
            a=firm("山田製作所 大阪支店", phone="06-1111-2345"), b=firm("㈱山田製作所　大阪支店", phone="0611112345")
        )
    )
    assert certain(result) == {"b": "a"}


def test_head_office_is_the_company_itself():
    result = find_matches(
        customers(a=firm("山田製作所", address=HERE), b=firm("株式会社山田製作所 本社", address=HERE))
    )
    assert certain(result) == {"b": "a"}


def test_person_needs_more_than_a_name():
    result = find_matches(
        customers(
            a=firm("髙橋 直子", kind="person", phone="090-1234-5678"),
            b=firm("高橋　直子", kind="person", phone="09012345678"),
            c=firm("高橋 直子", kind="person"),
            d=firm("高橋 一郎", kind="person", phone="090-1234-5678"),
            e=firm("高橋 直子", kind="person", mail_domain="example.co.jp"),
            f=firm("高橋 直子", kind="person", mail_domain="example.co.jp"),
        )
    )
    assert certain(result) == {"b": "a"}
    assert listed(result) == set()


def test_free_mail_domain_joins_nobody():
    result = find_matches(
        customers(a=firm("山田商事", mail_domain="gmail.com"), b=firm("山田商事", mail_domain="gmail.com"))
    )
    assert certain(result) == {}


def test_name_cut_at_a_comma_links_nothing():
    result = find_matches(
        customers(
            a=firm("ACME CO., LTD."),
            b=firm("ACME CO"),
            c=firm("ACME, TRADING CO., LTD."),
            d=firm("TOKYO, OSAKA FOODS CO., LTD.", phone="03-1234-5678"),
            e=firm("TOKYO", phone="03-1234-5678"),
        )
    )
    assert certain(result) == {}
    assert frozenset("ac") not in listed(result) and frozenset("bc") not in listed(result)


def test_cross_reference_is_certain_and_its_new_code_stays():
    xref = pl.DataFrame({"old_customer_id": ["1", "gone", "2"], "new_customer_id": ["2", "3", "3"]})
    table = customers(**{"1": firm("山田"), "2": firm("田中"), "3": firm("佐藤")})
    result = find_matches(table, xref=xref)
    assert certain(result) == {"1": "3", "2": "3", "gone": "3"}
    assert set(result.certain["rule"]) == {"xref"}
    with pytest.raises(MappingIncomplete, match="old_customer_id"):
        find_matches(table, xref=pl.DataFrame({"x": ["1"]}))


def test_chain_of_duplicates_ends_at_one_root():
    result = find_matches(
        customers(
            a=firm("山田商事", address=HERE),
            b=firm("山田商事", address=HERE, phone="03-1234-5678"),
            c=firm("山田商事", phone="03-1234-5678", mail_domain="yamada.co.jp"),
            d=firm("山田商事", mail_domain="yamada.co.jp", corporate_number=FIRST),
        )
    )
    assert certain(result) == {"a": "d", "b": "d", "c": "d"}
    assert "を介して" in result.certain.filter(pl.col("customer_id") == "a")["evidence_ja"].item()


def test_code_with_most_orders_stays_else_the_smallest():
    table = customers(**{"9": firm("山田商事", address=HERE), "10": firm("山田商事", address=HERE)})
    assert certain(find_matches(table)) == {"10": "9"}
    orders = pl.DataFrame({"customer_id": ["9", "10"], "orders": [1, 5]})
    assert certain(find_matches(table, orders=orders)) == {"9": "10"}


def test_decided_merge_is_kept_and_not_repeated():
    table = customers(
        a=firm("山田商事", address=HERE), b=firm("山田商事", address=HERE), c=firm("山田商事", address=HERE)
    )
    decided = pl.DataFrame({"customer_id": ["a"], "into_customer_id": ["b"], "evidence": ["same phone"]})
    assert certain(find_matches(table, decided=decided)) == {"c": "b"}


@pytest.mark.parametrize(
    "row", [("a", "b", "different"), ("b", "a", "別会社"), ("a", "a", "stays"), ("b", "b", "stays")]
)
def test_what_a_person_called_different_is_not_asked_again(row):
    table = customers(a=firm("山田商事", address=HERE), b=firm("山田商事", address=HERE))
    decided = pl.DataFrame([row], schema=["customer_id", "into_customer_id", "evidence"], orient="row")
    result = find_matches(table, decided=decided)
    assert certain(result) == {} and listed(result) == set()


def test_code_left_alone_does_not_part_the_others():
    table = customers(
        a=firm("山田商事", address=HERE), b=firm("山田商事", address=HERE), c=firm("山田商事", address=HERE)
    )
    decided = pl.DataFrame({"customer_id": ["b"], "into_customer_id": ["b"], "evidence": ["stays"]})
    assert certain(find_matches(table, decided=decided)) == {"c": "a"}


def test_refusal_holds_through_a_third_code():
    table = customers(
        a=firm("山田商事", address=HERE), b=firm("山田商事", address=HERE), c=firm("山田商事", address=HERE)
    )
    decided = pl.DataFrame({"customer_id": ["a"], "into_customer_id": ["b"], "evidence": ["different"]})
    result = find_matches(table, decided=decided)
    assert certain(result) == {}
    assert frozenset("ab") not in listed(result)


def test_code_called_different_from_one_may_still_be_merged_with_another():
    table = customers(
        a=firm("山田商事", address=HERE), b=firm("山田商事", address=THERE), c=firm("山田商事", address=HERE)
    )
    decided = pl.DataFrame({"customer_id": ["c"], "into_customer_id": ["b"], "evidence": ["different"]})
    assert certain(find_matches(table, decided=decided)) == {"c": "a"}


def test_number_shared_by_many_names_is_no_evidence():
    names = ["北海運輸", "ミライ食品", "東都印刷", "山田商事"]
    table = customers(**{f"c{n}": firm(name, phone="03-1234-5678") for n, name in enumerate(names)})
    assert listed(find_matches(table, settings=ImportSettings(match_max_shared=3))) == set()
    assert len(listed(find_matches(table))) == 3


def test_near_names_are_listed_unless_a_digit_differs():
    result = find_matches(
        customers(
            a=firm("コンピュータサービス東都"),
            b=firm("コンピューターサービス東都"),
            c=firm("大日本テクノサービス第1株式会社"),
            d=firm("大日本テクノサービス第2株式会社"),
            e=firm("東亜ロジスティクスセンター第一"),
            f=firm("東亜ロジスティクスセンター第二"),
        )
    )
    assert certain(result) == {}
    assert listed(result) == {frozenset("ab")}


def test_empty_and_nameless_tables_give_empty_results():
    empty = find_matches(customers())
    assert empty.certain.height == empty.ambiguous.height == empty.parents.height == 0
    nameless = find_matches(pl.DataFrame({"customer_id": ["a", "b", "c"], "name": ["・", None, ""]}))
    assert nameless.certain.height == nameless.ambiguous.height == 0
    with pytest.raises(MappingIncomplete, match="name"):
        find_matches(pl.DataFrame({"customer_id": ["a"]}))


NUMBERS = [f"{check_digit(f'{n:012d}')}{n:012d}" for n in range(3)]
ROW = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["株式会社山田", "山田㈱", "山田", "有限会社山田", "山田 大阪支店", "山田 太郎", "田中"]
        ),
        "corporate_number": st.sampled_from([None, None, *NUMBERS]),
        "address": st.sampled_from([None, HERE, "港区芝1-2-3", THERE]),
        "phone": st.sampled_from([None, "03-1234-5678", "06-1234-5678"]),
        "mail_domain": st.sampled_from([None, "yamada.co.jp", "gmail.com"]),
    }
)
CODE = st.sampled_from("abcdefgh")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(ROW, max_size=8),
    st.dictionaries(CODE, CODE, max_size=3),
    st.lists(st.tuples(CODE, CODE, st.sampled_from(["same", "different"])), max_size=3, unique_by=lambda row: row[:2]),
)
def test_merges_resolve_to_roots_and_never_cross_a_veto(rows, xref, decided):
    table = customers(**dict(zip("abcdefgh", rows, strict=False)))
    moved = pl.DataFrame(
        {"old_customer_id": list(xref), "new_customer_id": list(xref.values())},
        schema_overrides={"old_customer_id": pl.String, "new_customer_id": pl.String},
    )
    merges = pl.DataFrame(
        decided, schema={"customer_id": pl.String, "into_customer_id": pl.String, "evidence": pl.String}, orient="row"
    )
    result = find_matches(table, moved, merges)
    into = certain(result)
    assert len(into) == result.certain.height
    assert all(root not in into for root in into.values())
    number = dict(table.select("customer_id", "corporate_number").iter_rows())
    by_hand = {code for code, other, why in decided if why == "same"} | {
        other for _, other, why in decided if why == "same"
    }
    for code, root in into.items():
        if not by_hand and number.get(code) and number.get(root):
            assert number[code] == number[root]
    everything = pl.concat([merges, result.certain.select("customer_id", "into_customer_id", evidence="evidence_en")])
    codes = pl.DataFrame(
        {"customer_id": sorted({*table["customer_id"], *xref, *xref.values()})}, schema={"customer_id": pl.String}
    )
    ends = dict(zip(codes["customer_id"], apply_merges(codes, everything)["customer_id"], strict=True))
    for code, other, why in decided:
        if why == "different" and code != other and not by_hand and code in ends and other in ends:
            assert ends[code] != ends[other]
    again = find_matches(table, moved, everything)
    assert again.certain.height == 0


def test_what_was_merged_into_a_code_that_stands_alone_draws_it_into_nothing_else():
    moved = pl.DataFrame({"old_customer_id": ["c"], "new_customer_id": ["a"]})
    decided = pl.DataFrame(
        [("b", "b", "stands alone"), ("c", "b", "same")],
        schema={"customer_id": pl.String, "into_customer_id": pl.String, "evidence": pl.String},
        orient="row",
    )
    assert certain(find_matches(customers(), moved, decided)) == {}
