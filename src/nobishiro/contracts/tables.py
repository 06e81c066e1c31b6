"""The canonical tables, declared once: every column's name, type, unit, meaning and label.

Column names are typed nowhere else as data: intake maps files onto these tables, the store writes them, the engine reads
them. `TABLES["order_lines"]` finds one; `Table.key` is what makes an import idempotent.

Types are wide from the start: INTEGER is int64, MONEY is DECIMAL(18, 2) in the workspace's one currency, QUANTITY is
DECIMAL(18, 3), RATE is float64 (0.35 = 35 %), SCORE is float64, MOMENT is a timestamp in microseconds on the clock of the
workspace's time zone, DAY is a date, TEXT is Unicode as the source wrote it (after NFKC where the table says so).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ColumnType(StrEnum):
    """How a column is stored."""

    TEXT = "text"
    INTEGER = "integer"
    QUANTITY = "quantity"
    MONEY = "money"
    RATE = "rate"
    SCORE = "score"
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"


class Home(StrEnum):
    """Where a table lives once there is a web application; before that, all live in the store."""

    HAPPENED = "happened"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table."""

    name: str
    type: ColumnType
    ja: str
    en: str
    meaning: str
    required: bool = False
    """A row without it is rejected. Key columns are required as well, unless the import can number them."""
    unit: str | None = None
    """`yen`, `minutes`, `people`, `pieces`, `days`, or None."""
    choices: tuple[str, ...] = ()
    """The values allowed, empty when free."""
    personal: bool = False
    """Identifies a natural person; only `customers`, `contacts` and `households` may hold such columns."""
    restricted: bool = False
    """May be hidden from some roles: cost, margin, private notes."""


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table."""

    name: str
    ja: str
    en: str
    meaning: str
    home: Home
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    replaced_by: tuple[str, ...] = ()
    """Columns that name a group replaced whole by an import that contains it (an order's lines)."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """The declared columns in order, without the store's own `import_id`."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.column_names)}")


IMPORT_ID: Final = "import_id"
"""The store's own column on every row: which import or edit wrote it."""

T, I, Q, M, R = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.QUANTITY, ColumnType.MONEY, ColumnType.RATE
S, F, D, TS = ColumnType.SCORE, ColumnType.FLAG, ColumnType.DAY, ColumnType.MOMENT

CUSTOMER_STATES: Final = ("active", "dormant", "lost", "prospect")
"""取引中 / 休眠 / 失注 / 見込み."""
PRODUCT_KINDS: Final = (
    "goods",
    "service",
    "plan",
    "course",
    "fee",
    "postage",
    "discount",
    "adjustment",
    "test",
    "other",
)
SELLABLE_KINDS: Final = ("goods", "service", "plan", "course")
"""Kinds that can be offered; the others are money that moves without being a product."""
TOUCH_KINDS: Final = ("visit", "call", "mail", "web", "meeting", "event", "other")
PROPOSAL_RESULTS: Final = ("open", "considering", "won", "declined", "dismissed", "referred")
FAMILY_STATES: Final = ("buying", "proposed", "not_proposed", "competitor", "not_applicable")
"""取引あり / 提案済み / 未提案 / 他社購入 / 対象外."""
QUADRANTS: Final = ("A", "B", "C", "D")
LEGAL_BASES: Final = ("opt_in", "existing_dealings", "business_card", "published_address")


def _col(
    name: str,
    type_: ColumnType,
    ja: str,
    en: str,
    meaning: str,
    *,
    required: bool = False,
    unit: str | None = None,
    choices: tuple[str, ...] = (),
    personal: bool = False,
    restricted: bool = False,
) -> Column:
    if type_ is ColumnType.MONEY and unit is None:
        unit = "yen"
    return Column(name, type_, ja, en, meaning, required, unit, choices, personal, restricted)


_CUSTOMER = _col("customer_id", T, "顧客コード", "Customer", "the customer's code in the source system", required=True)
_PRODUCT = _col("product_id", T, "商品コード", "Product", "the product's code in the source system", required=True)
_REP = _col("rep_id", T, "担当者コード", "Rep", "the rep's code")
_DIVISION = _col("division_id", T, "事業部コード", "Division", "the division's code")
_CONTACT = _col("contact_id", T, "先方担当者コード", "Contact", "the person at the customer")
_FAMILY = _col("family", T, "商品群", "Family", "the product family")

_ALL: Final = (
    Table(
        "divisions", "事業部", "Divisions", "Business units, brands or shops of the company", Home.HAPPENED, ("division_id",),
        (
            _col("division_id", T, "事業部コード", "Division", "code of the division", required=True),
            _col("name", T, "事業部名", "Name", "name of the division", required=True),
            _col("parent_division_id", T, "上位事業部コード", "Parent", "the division above, if any"),
            _col("is_window", F, "窓口部門", "Window", "visits regularly and listens for the others"),
        ),
    ),
    Table(
        "reps", "営業担当", "Reps", "People of the company who look after customers", Home.HAPPENED, ("rep_id",),
        (
            _col("rep_id", T, "担当者コード", "Rep", "code of the rep", required=True),
            _col("name", T, "担当者名", "Name", "name as shown", required=True),
            _DIVISION,
            _col("email", T, "メール", "Mail", "business mail address of our own staff"),
            _col("hours_per_month", S, "月間営業時間", "Hours a month", "hours a month for customers", unit="hours"),
            _col("valid_from", D, "着任日", "From", "first day"),
            _col("valid_to", D, "離任日", "Until", "last day, empty while active"),
        ),
    ),
    Table(
        "assignments", "当社担当", "Assignments", "Who looks after which customer, by division and role", Home.HAPPENED,
        ("customer_id", "division_id", "rep_id", "role"),
        (
            _CUSTOMER,
            _col("division_id", T, "事業部コード", "Division", "the division's code", required=True),
            _col("rep_id", T, "担当者コード", "Rep", "the rep's code", required=True),
            _col("role", T, "役割", "Role", "main, support, service or specialist", required=True,
                 choices=("main", "support", "service", "specialist")),
            _col("valid_from", D, "開始日", "From", "first day"),
            _col("valid_to", D, "終了日", "Until", "last day, empty while it holds"),
        ),
    ),
    Table(
        "targets", "目標", "Targets", "Sales or gross-profit target of a rep or a division for a period", Home.HAPPENED,
        ("scope", "scope_id", "period_start", "measure"),
        (
            _col("scope", T, "単位", "Scope", "whose target", required=True, choices=("company", "division", "rep")),
            _col("scope_id", T, "対象コード", "Whose", "rep or division code, `all` for the company", required=True),
            _col("period_start", D, "期間開始", "From", "first day of the period", required=True),
            _col("period_end", D, "期間終了", "Until", "last day of the period", required=True),
            _col("measure", T, "指標", "Measure", "what is counted", required=True,
                 choices=("sales", "gross_profit", "new_family_sales")),
            _col("amount", M, "目標額", "Amount", "the target", required=True),
        ),
    ),
    Table(
        "customers", "顧客", "Customers", "Companies and people who buy, bought, nearly bought or could buy", Home.HAPPENED,
        ("customer_id",),
        (
            _CUSTOMER,
            _col("name", T, "顧客名", "Name", "name as the source writes it", required=True, personal=True),
            _col("name_kana", T, "フリガナ", "Reading", "katakana reading, the sort key", personal=True),
            _col("kind", T, "区分", "Kind", "company or person", choices=("company", "person")),
            _col("state", T, "取引状態", "State", "取引中 / 休眠 / 失注 / 見込み", choices=CUSTOMER_STATES),
            _col("corporate_number", T, "法人番号", "Corporate number", "13 digits with a check digit"),
            _col("industry", T, "業種", "Industry", "line of business"),
            _col("employees", I, "従業員数", "Employees", "number of employees", unit="people"),
            _col("annual_sales", M, "年商", "Annual sales", "the customer's own sales a year"),
            _col("postal_code", T, "郵便番号", "Postal code", "seven digits", personal=True),
            _col("prefecture", T, "都道府県", "Prefecture", "prefecture of the address"),
            _col("address", T, "住所", "Address", "address below the prefecture", personal=True),
            _col("phone", T, "電話番号", "Phone", "main number", personal=True),
            _col("mail_domain", T, "メールドメイン", "Mail domain", "domain of the company's mail or web site"),
            _col("parent_customer_id", T, "親会社コード", "Parent", "the customer above: group, company, branch"),
            _col("household_id", T, "世帯コード", "Household", "the household, for people"),
            _col("acquired_by", T, "獲得経路", "How acquired", "fair, web, introduction, visit …"),
            _col("acquired_on", D, "獲得日", "Acquired on", "day of the first deal or contact"),
            _col("note", T, "備考", "Note", "free text", personal=True, restricted=True),
        ),
    ),
    Table(
        "households", "世帯", "Households", "Parents who pay and children who learn", Home.HAPPENED, ("household_id",),
        (
            _col("household_id", T, "世帯コード", "Household", "code of the household", required=True),
            _col("name", T, "世帯名", "Name", "family name", personal=True),
            _col("postal_code", T, "郵便番号", "Postal code", "seven digits", personal=True),
            _col("prefecture", T, "都道府県", "Prefecture", "prefecture of the address"),
            _col("address", T, "住所", "Address", "address below the prefecture", personal=True),
            _col("phone", T, "電話番号", "Phone", "main number", personal=True),
        ),
    ),
    Table(
        "contacts", "先方担当者", "Contacts", "People at a customer, or children of a household", Home.HAPPENED, ("contact_id",),
        (
            _col("contact_id", T, "先方担当者コード", "Contact", "code of the person", required=True),
            _CUSTOMER,
            _col("family_name", T, "姓", "Family name", "family name", personal=True),
            _col("given_name", T, "名", "Given name", "given name", personal=True),
            _col("name_kana", T, "フリガナ", "Reading", "katakana reading", personal=True),
            _col("department", T, "部署", "Department", "department"),
            _col("title", T, "役職", "Title", "title"),
            _col("email", T, "メール", "Mail", "mail address", personal=True),
            _col("phone", T, "電話番号", "Phone", "direct number", personal=True),
            _col("is_decision_maker", F, "キーパーソン", "Key person", "decides or strongly influences"),
            _col("birthday", D, "生年月日", "Birthday", "for school years; children are born from 2 April", personal=True),
        ),
    ),
    Table(
        "products", "商材", "Products", "Everything sold", Home.HAPPENED, ("product_id",),
        (
            _PRODUCT,
            _col("name", T, "商品名", "Name", "name or description"),
            _col("category", T, "分類", "Category", "category in the source system"),
            _FAMILY,
            _col("grade", T, "グレード", "Grade", "grade within the family"),
            _col("price", M, "標準単価", "Price", "list price of one unit"),
            _col("cost", M, "原価", "Cost", "cost of one unit", restricted=True),
            _col("margin_rate", R, "粗利率", "Margin rate", "gross profit over sales, where there is no cost", restricted=True),
            _DIVISION,
            _col("kind", T, "種別", "Kind", "goods, service … or a code that is no product", choices=PRODUCT_KINDS),
            _col("upgrade_of", T, "下位商品コード", "Upgrade of", "the product one grade below"),
            _col("active_from", D, "発売日", "On sale from", "first day on sale"),
            _col("active_to", D, "販売終了日", "On sale until", "last day on sale"),
        ),
    ),
    Table(
        "order_lines", "受注明細", "Order lines", "One product on one order; cancellations and returns have negative quantities",
        Home.HAPPENED, ("order_id", "product_id", "occurrence"),
        (
            _col("order_id", T, "受注番号", "Order", "order, invoice or slip number", required=True),
            _PRODUCT,
            _col("occurrence", I, "同一明細の連番", "Occurrence",
                 "1, 2 … for lines of the same order and product; numbered by the import when the source has no line id"),
            _col("line_id", T, "明細番号", "Line", "line number in the source, where there is one"),
            _col("customer_id", T, "得意先コード", "Customer", "who is billed; empty for anonymous sales"),
            _col("end_customer_id", T, "エンドユーザーコード", "End customer", "who uses it, when sold through a dealer"),
            _col("ordered_at", TS, "受注日", "Ordered at", "when it was ordered", required=True),
            _col("quantity", Q, "数量", "Quantity", "units; negative for a return", unit="pieces"),
            _col("amount", M, "金額", "Amount", "quantity × unit price after discount, tax as declared on import"),
            _col("unit_price", M, "単価", "Unit price", "price of one unit"),
            _DIVISION,
            _REP,
            _col("cancels_order_id", T, "取消元受注番号", "Cancels", "the order this line takes back, where the source says so"),
            _col("channel", T, "受注経路", "Channel", "visit, web, fax, shop …"),
        ),
        replaced_by=("order_id",),
    ),
    Table(
        "touches", "接点", "Touches", "One contact between us and a customer", Home.HAPPENED, ("touch_id",),
        (
            _col("touch_id", T, "接点番号", "Touch", "number of the touch", required=True),
            _CUSTOMER,
            _CONTACT,
            _REP,
            _DIVISION,
            _col("kind", T, "種別", "Kind", "visit, call, mail …", required=True, choices=TOUCH_KINDS),
            _col("direction", T, "方向", "Direction", "ours or theirs", choices=("outbound", "inbound")),
            _col("happened_at", TS, "日時", "When", "start of the touch", required=True),
            _col("minutes", S, "所要分", "Minutes", "length, travel included", unit="minutes"),
            _col("subject", T, "件名", "Subject", "subject or purpose"),
            _col("note", T, "内容", "Note", "what was said", restricted=True),
        ),
    ),
    Table(
        "proposals", "提案記録", "Proposals", "A product proposed on a touch, and what came of it", Home.HAPPENED, ("proposal_id",),
        (
            _col("proposal_id", T, "提案番号", "Proposal", "number of the proposal", required=True),
            _CUSTOMER,
            _col("product_id", T, "商品コード", "Product", "the product proposed"),
            _FAMILY,
            _col("touch_id", T, "接点番号", "Touch", "the touch it was made on"),
            _REP,
            _col("proposed_at", TS, "提案日", "Proposed at", "when", required=True),
            _col("result", T, "結果", "Result", "what came of it", required=True, choices=PROPOSAL_RESULTS),
            _col("reason", T, "理由", "Reason", "reason given for a refusal"),
            _col("amount", M, "提案金額", "Amount", "amount proposed"),
        ),
    ),
    Table(
        "deals", "商談", "Deals", "Opportunities with stage and outcome", Home.HAPPENED, ("deal_id",),
        (
            _col("deal_id", T, "商談番号", "Deal", "number of the deal", required=True),
            _CUSTOMER,
            _col("name", T, "商談名", "Name", "name of the deal"),
            _col("product_id", T, "商品コード", "Product", "main product"),
            _FAMILY,
            _REP,
            _DIVISION,
            _col("stage", T, "フェーズ", "Stage", "stage as the company calls it"),
            _col("outcome", T, "結果", "Outcome", "won, lost or open", choices=("open", "won", "lost")),
            _col("amount", M, "金額", "Amount", "expected or final amount"),
            _col("opened_on", D, "発生日", "Opened", "first day"),
            _col("expected_on", D, "受注予定日", "Expected", "day the order is expected"),
            _col("closed_on", D, "完了日", "Closed", "day of the outcome"),
            _col("lost_reason", T, "失注理由", "Lost reason", "why it was lost"),
            _col("competitor", T, "競合", "Competitor", "who was in it as well"),
        ),
    ),
    Table(
        "survey_answers", "アンケート回答", "Survey answers", "One answer to one question; NPS among them", Home.HAPPENED, ("answer_id",),
        (
            _col("answer_id", T, "回答番号", "Answer", "number of the answer", required=True),
            _CUSTOMER,
            _CONTACT,
            _col("survey", T, "アンケート名", "Survey", "which survey", required=True),
            _col("question", T, "設問", "Question", "the question, `nps` for 0–10", required=True),
            _col("answer", T, "回答", "Answer text", "the answer as given"),
            _col("score", S, "点数", "Score", "the answer as a number"),
            _col("answered_at", TS, "回答日時", "Answered at", "when", required=True),
        ),
    ),
    Table(
        "usage", "利用状況", "Usage", "What a customer used of a plan in a period", Home.HAPPENED,
        ("customer_id", "product_id", "metric", "period_start"),
        (
            _CUSTOMER,
            _PRODUCT,
            _col("metric", T, "指標", "Metric", "seats, storage, calls …", required=True),
            _col("period_start", D, "期間開始", "From", "first day of the period", required=True),
            _col("used", S, "利用量", "Used", "amount used"),
            _col("allowed", S, "上限", "Limit", "limit of the plan"),
        ),
    ),
    Table(
        "tickets", "問い合わせ", "Tickets", "Questions and complaints", Home.HAPPENED, ("ticket_id",),
        (
            _col("ticket_id", T, "問い合わせ番号", "Ticket", "number of the ticket", required=True),
            _CUSTOMER,
            _CONTACT,
            _col("opened_at", TS, "受付日時", "Opened at", "when", required=True),
            _col("closed_at", TS, "完了日時", "Closed at", "when it was settled"),
            _col("kind", T, "種別", "Kind", "what it is", choices=("question", "complaint", "fault", "request", "other")),
            _col("product_id", T, "商品コード", "Product", "the product it is about"),
            _col("subject", T, "件名", "Subject", "subject"),
            _col("note", T, "内容", "Note", "content", restricted=True),
        ),
    ),
    Table(
        "web_events", "ウェブ行動", "Web events", "Page views, downloads, clicks", Home.HAPPENED, ("event_id",),
        (
            _col("event_id", T, "イベント番号", "Event", "number of the event", required=True),
            _col("customer_id", T, "顧客コード", "Customer", "the customer, empty while anonymous"),
            _col("visitor_id", T, "訪問者番号", "Visitor", "pseudonym of the browser"),
            _col("happened_at", TS, "日時", "When", "when", required=True),
            _col("kind", T, "種別", "Kind", "view, download, click, form, cart, purchase …", required=True),
            _col("subject", T, "対象", "Subject", "page, file or mail"),
            _col("product_id", T, "商品コード", "Product", "the product it is about"),
        ),
    ),
    Table(
        "facts", "把握情報", "Facts", "One thing known about a customer, with source, date and who learned it", Home.PEOPLE,
        ("customer_id", "fact", "subject", "learned_on"),
        (
            _CUSTOMER,
            _col("fact", T, "項目", "Fact",
                 "chosen_reason, previous_supplier, competitor_moves, next_interest, total_spend, outlook, investment_plan, "
                 "deciding_department, knows_our_range, competitor_buys, not_applicable …", required=True),
            _col("subject", T, "対象", "Subject", "family or product it is about; `-` for the customer as a whole", required=True),
            _col("value", T, "内容", "Value", "what is known, in words"),
            _col("amount", M, "金額", "Amount", "yen a year, for total_spend and the like"),
            _col("learned_on", D, "把握日", "Learned on", "day", required=True),
            _col("source", T, "情報源", "Source", "visit, survey, web …"),
            _REP,
        ),
    ),
    Table(
        "tags", "タグ", "Tags", "What and Pace set by a person; computed tags stand beside, never instead", Home.PEOPLE,
        ("customer_id", "tag"),
        (
            _CUSTOMER,
            _col("tag", T, "タグ", "Tag", "what (拡大余地), pace (受注頻度), visits (訪問頻度), relation (関係) or a name of your own",
                 required=True),
            _col("value", T, "値", "Value", "large / small, or ◎ ○ △", required=True),
            _col("set_by", T, "設定者", "Set by", "who"),
            _col("set_on", D, "設定日", "Set on", "day"),
            _col("reason", T, "理由", "Reason", "why"),
        ),
    ),
    Table(
        "corrections", "訂正", "Corrections", "A person's correction of one field of an imported row", Home.PEOPLE,
        ("table_name", "row_key", "column_name"),
        (
            _col("table_name", T, "表", "Table", "canonical table", required=True),
            _col("row_key", T, "行", "Row", "the row's key, parts joined by |", required=True),
            _col("column_name", T, "列", "Column", "canonical column", required=True),
            _col("value", T, "訂正値", "Value", "the value as text; empty means cleared"),
            _col("imported_value", T, "取込値", "Imported value", "what the import said when it was corrected"),
            _col("set_by", T, "訂正者", "Corrected by", "who"),
            _col("set_at", TS, "訂正日時", "Corrected at", "when"),
        ),
    ),
    Table(
        "merges", "名寄せ", "Merges", "Two customer codes that are one customer", Home.PEOPLE,
        ("customer_id", "into_customer_id"),
        (
            _col("customer_id", T, "統合される顧客コード", "Merged", "the code that is folded away", required=True),
            _col("into_customer_id", T, "統合先顧客コード", "Into", "the code that stays", required=True),
            _col("evidence", T, "根拠", "Evidence", "why they are one", required=True),
            _col("decided_by", T, "判断者", "Decided by", "`rule` or a person"),
            _col("decided_at", TS, "判断日時", "Decided at", "when"),
        ),
    ),
    Table(
        "overrides", "手動判定", "Overrides", "A person's word over a computed one, with the reason", Home.PEOPLE,
        ("customer_id", "measure"),
        (
            _CUSTOMER,
            _col("measure", T, "項目", "What", "quadrant, potential or track_record", required=True),
            _col("value", T, "値", "Value", "A–D, or yen", required=True),
            _col("reason", T, "理由", "Reason", "why", required=True),
            _col("set_by", T, "設定者", "Set by", "who"),
            _col("set_on", D, "設定日", "Set on", "day"),
        ),
    ),
    Table(
        "consents", "同意", "Consents", "What a contact agreed to, by address and channel, with the legal basis", Home.PEOPLE,
        ("address", "channel", "changed_at"),
        (
            _col("address", T, "宛先", "Address", "mail address, number or LINE id, hashed after erasure", required=True),
            _col("channel", T, "経路", "Channel", "mail, sms, line, phone, visit, post", required=True),
            _col("customer_id", T, "顧客コード", "Customer", "the customer"),
            _CONTACT,
            _col("state", T, "状態", "State", "granted or refused", required=True, choices=("granted", "refused")),
            _col("basis", T, "根拠", "Basis", "legal basis of sending", choices=LEGAL_BASES),
            _col("changed_at", TS, "変更日時", "Changed at", "when", required=True),
            _col("wording", T, "表示文言", "Wording", "the words shown when it was given"),
            _col("source", T, "取得元", "Source", "form, business card …"),
        ),
    ),
    Table(
        "outcomes", "結果", "Outcomes", "What came of an action, for learning and measuring", Home.PEOPLE, ("outcome_id",),
        (
            _col("outcome_id", T, "結果番号", "Outcome", "number made by the client, so that a tap never counts twice", required=True),
            _CUSTOMER,
            _col("product_id", T, "商品コード", "Product", "the product offered"),
            _col("offer_kind", T, "提案種別", "Offer kind", "cross_sell, upsell, downsell, bundle, replenishment",
                 choices=("cross_sell", "upsell", "downsell", "bundle", "replenishment")),
            _col("play", T, "施策", "Play", "the play it belongs to"),
            _col("channel", T, "経路", "Channel", "visit, mail, popup …"),
            _REP,
            _col("happened_at", TS, "日時", "When", "when", required=True),
            _col("result", T, "結果", "Result", "what came of it", required=True, choices=PROPOSAL_RESULTS),
            _col("reason", T, "理由", "Reason", "reason of a refusal"),
            _col("amount", M, "金額", "Amount", "amount won"),
        ),
    ),
)  # fmt: skip

TABLES: Final[Mapping[str, Table]] = MappingProxyType({table.name: table for table in _ALL})
"""Every canonical table by name, in the order of the flow."""
