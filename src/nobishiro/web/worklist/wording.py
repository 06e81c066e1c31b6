"""What kinds, states and results are called, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext

from nobishiro.web.core.templatetags.nobishiro import is_japanese, short
from nobishiro.web.customers.models import Action
from nobishiro.web.worklist.taps import RESULTS


def offer_label(kind: str) -> str:
    """関連提案 / 上位提案 / 代替提案 / セット / 補充."""
    return {
        "cross_sell": pgettext("offer", "related"),
        "upsell": pgettext("offer", "one grade up"),
        "downsell": pgettext("offer", "alternative"),
        "bundle": pgettext("offer", "set"),
        "replenishment": pgettext("offer", "refill"),
    }.get(kind, "")


def state_label(state: str, result: str = "") -> str:
    """取引あり / 提案済み（お断り） / 未提案 / 他社購入 / 対象外; empty when unknown."""
    said = {
        "buying": pgettext("family", "buying"),
        "proposed": pgettext("family", "proposed"),
        "not_proposed": pgettext("family", "not yet proposed"),
        "competitor": pgettext("family", "buys elsewhere"),
        "not_applicable": pgettext("family", "no use for it"),
    }.get(state, "")
    if state == "proposed" and result in ("considering", "declined"):
        return f"{said}: {dict(RESULTS)[result]}"
    return said


def offer_note(kind: str, state: str, result: str = "") -> str:
    """（関連提案・未提案）."""
    said = [part for part in (offer_label(kind), state_label(state, result)) if part]
    return f"（{'・'.join(said)}）" if is_japanese() else f" ({', '.join(said)})"


def range_text(low: float | None, high: float | None) -> str:
    """¥38万〜¥92万; ¥380k–¥920k."""
    return f"{short(low)}{'〜' if is_japanese() else '–'}{short(high)}"


def kind_label(kind: str) -> str:
    """What is to be done, as a sentence without its end."""
    return {
        Action.Kind.PROPOSE: gettext("Make a proposal"),
        Action.Kind.ASK: gettext("Ask, before offering anything"),
        Action.Kind.RELATE: gettext("Build the relation; offer nothing yet"),
        Action.Kind.SERVE: gettext("Serve; offer nothing"),
        Action.Kind.FOLLOW: pgettext("worklist", "Follow up"),
    }.get(Action.Kind(kind), "")


def channel_label(channel: str) -> str:
    """How an order came."""
    known = {
        "web": pgettext("worklist", "by web"),
        "ec": pgettext("worklist", "by web"),
        "online": pgettext("worklist", "by web"),
        "phone": pgettext("worklist", "by phone"),
        "fax": pgettext("worklist", "by fax"),
        "mail": pgettext("worklist", "by mail"),
        "shop": gettext("in the shop"),
        "inbound": pgettext("worklist", "by themselves"),
    }
    return known.get(channel.lower(), channel)
