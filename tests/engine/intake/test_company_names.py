import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.intake.company_names import ends_in_branch, fold_for_matching, normalise_name, normalise_names
from nobishiro.engine.intake.legal_forms import form_class

WORDS = (
    "株式会社 ㈱ (株) （有） 合同会社 医療法人社団 学校法人 Co., Ltd. Inc. K.K. LLC , ・ ー - 山田 髙島屋 ACME "
    "テスト ﾃｽﾄ "
    "大阪支店 第二工場 商店 店 様 御中 カ) (ユ 支店 部"
)
PIECES = st.sampled_from([*WORDS.split(), " ", "\u3000"])
NAMES = st.one_of(
    st.text(max_size=30), st.lists(PIECES, max_size=6).map("".join), st.lists(PIECES, max_size=6).map(" ".join)
)


@pytest.mark.parametrize(
    ("name", "core", "form", "position"),
    [
        ("株式会社山田製作所", "山田製作所", "株式会社", "front"),
        ("㈱山田製作所", "山田製作所", "株式会社", "front"),
        ("㍿山田製作所", "山田製作所", "株式会社", "front"),
        ("山田製作所（株）", "山田製作所", "株式会社", "back"),
        ("山田製作所　株式会社 御中", "山田製作所", "株式会社", "back"),
        ("㈲サンライズ", "サンライズ", "有限会社", "front"),
        ("合同会社サンライズ", "サンライズ", "合同会社", "front"),
        ("合資会社サンライズ", "サンライズ", "合資会社", "front"),
        ("サンライズ合名会社", "サンライズ", "合名会社", "back"),
        ("一般社団法人日本計測協会", "日本計測協会", "一般社団法人", "front"),
        ("公益財団法人みらい", "みらい", "公益財団法人", "front"),
        ("医療法人社団青空会", "青空会", "医療法人社団", "front"),
        ("学校法人みらい学園", "みらい学園", "学校法人", "front"),
        ("社会福祉法人ひより", "ひより", "社会福祉法人", "front"),
        ("ACME CO., LTD.", "acme", "Co., Ltd.", "back"),
        ("ＡＣＭＥ　Ｃｏ．，Ｌｔｄ．", "acme", "Co., Ltd.", "back"),
        ("ACMECo.,Ltd.", "acme", "Co., Ltd.", "back"),
        ("Acme, Inc.", "acme", "Inc.", "back"),
        ("K.K. Acme", "acme", "K.K.", "front"),
        ("Acme LLC", "acme", "LLC", "back"),
        ("ｶ)ﾔﾏﾀﾞ", "ヤマダ", "株式会社", "front"),
        ("ﾔﾏﾀﾞ(ﾕ", "ヤマダ", "有限会社", "back"),
        ("Zinc", "zinc", None, None),
        ("株式会社", "株式会社", None, None),
        ("", "", None, None),
    ],
)
def test_legal_form_is_taken_off_and_kept_apart(name, core, form, position):
    parts = normalise_name(name)
    assert (parts.core, parts.legal_form, parts.form_position, parts.branch) == (core, form, position, None)


def test_name_is_never_cut_at_a_comma():
    assert normalise_name("Tokyo, Osaka Trading Co., Ltd.").core == "tokyoosakatrading"
    assert normalise_name("山田,田中法律事務所").core == "山田田中法律事務所"
    assert normalise_name("ACME CO., LTD.").core != normalise_name("ACME CO TRADING").core


@pytest.mark.parametrize(
    ("name", "core", "branch"),
    [
        ("株式会社山田製作所 大阪支店", "山田製作所", "大阪支店"),
        ("山田製作所㈱大阪営業所", "山田製作所", "大阪営業所"),
        ("山田製作所株式会社　第二工場", "山田製作所", "第二工場"),
        ("髙島屋横浜店", "高島屋", "横浜店"),
        ("ひより市場　北センター", "ひより市場", "北センター"),
        ("山田製作所 大阪 支店", "山田製作所", "大阪支店"),
        ("ACME Co., Ltd. Tokyo Branch", "acme", "tokyobranch"),
        ("みやこ予備校 京都校", "みやこ予備校", "京都校"),
        ("田中商店", "田中商店", None),
        ("株式会社田中 書店", "田中書店", None),
        ("東京工場", "東京工場", None),
        ("みらい高等学校", "みらい高等学校", None),
    ],
)
def test_branch_is_kept_apart(name, core, branch):
    parts = normalise_name(name)
    assert (parts.core, parts.branch) == (core, branch)


def test_long_vowel_mark_is_never_collapsed():
    assert normalise_name("スーーパー").core == "スーーパー"
    assert normalise_name("ハーバー商会").core != normalise_name("ハバ商会").core
    assert normalise_name("コンピュ−タ株式会社").core == "コンピュータ"


def test_kanji_variants_match_and_are_never_shown():
    for old, new in [
        ("髙橋商事", "高橋商事"),
        ("山﨑商店", "山崎商店"),
        ("渡邊工業", "渡辺工業"),
        ("渡邉工業", "渡辺工業"),
        ("齋藤電機", "斎藤電機"),
        ("廣澤", "広沢"),
        ("濱田", "浜田"),
    ]:
        assert normalise_name(old).core == normalise_name(new).core
        assert normalise_name(old).display == old


def test_person_is_guessed_from_the_shape_of_the_name():
    assert normalise_name("山田 太郎").is_person_guess
    assert normalise_name("髙橋　直子").is_person_guess
    assert normalise_name("山田太郎様").is_person_guess
    assert not normalise_name("山田 商店").is_person_guess
    assert not normalise_name("株式会社 山田 太郎").is_person_guess


def test_column_of_names_keeps_its_order_and_nulls():
    frame = normalise_names(pl.Series(["㈱B", None, "A", "㈱B"]))
    assert frame["core"].to_list() == ["b", "", "a", "b"]
    assert frame["legal_form"].to_list() == ["株式会社", None, None, "株式会社"]


def test_western_form_decides_nothing_in_law():
    assert form_class("Co., Ltd.") is None
    assert form_class("K.K.") == form_class("株式会社") == "株式会社"
    assert form_class("有限会社") != form_class("株式会社")
    assert form_class("一般社団法人") == form_class("社団法人")


def test_branch_like_endings():
    assert ends_in_branch("山田製作所西脇営業所")
    assert not ends_in_branch("山田商店")


@given(NAMES)
def test_core_of_a_core_is_itself(name):
    core = normalise_name(name).core
    assert normalise_name(core).core == core


@given(NAMES)
def test_display_only_loses_white_space(name):
    shown = normalise_name(name).display
    assert shown.split() == name.split()
    assert normalise_name(shown).display == shown


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text):
    assert fold_for_matching(fold_for_matching(text)) == fold_for_matching(text)


@given(
    st.sampled_from(["山田製作所", "テスト工業", "acme", "みらい"]),
    st.sampled_from(["株式会社", "㈱", "（株）", "(株)"]),
    st.booleans(),
)
def test_front_and_back_forms_give_the_same_core(core, form, front):
    assert normalise_name(form + core if front else core + form).core == core
