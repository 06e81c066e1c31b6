"""Words in product names, Japanese as well as English, as TF-IDF vectors; and which of them tell a group apart.

No dictionary and no model: Latin text splits at spaces, Japanese where the script changes (光電センサ → 光電, センサ)
and, since compounds hide words, into pairs of characters beside. Sizes, numbers and model codes tell no family and are
out. Colours and the like are found by what they do: words that take each other's place (red bowl, blue bowl) tell
variants apart, not families, and weigh little.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from nobishiro.engine.understand.exploration import Float64, Int64

_PIECES = re.compile(
    r"[a-zà-öø-ÿ][a-zà-öø-ÿ'’&.\-]*[a-zà-öø-ÿ]|[ァ-ヺー]{2,}|[々一-鿿]{2,}|[ぁ-ゖー]{2,}|[々一-鿿]", re.IGNORECASE
)
_JAPANESE = re.compile(r"[ァ-ヺーぁ-ゖ々一-鿿]{2,}")
_WITH_DIGIT = re.compile(r"[a-z0-9.\-/]*\d[a-z0-9.\-/]*", re.IGNORECASE)
_SMALL = frozenset(
    "of|the|and|in|with|for|to|on|by|a|an|de|la|set|pack|assorted|box|no|cm|mm|kg|ml|pcs|pc|w".split("|")  # noqa: SIM905
)
_HEAD = 2.0
"""The last word counts this much: in English and in Japanese alike it names the thing, those before it the kind."""
_HEAD_FROM = 0.3
"""A word less steady than this is a variant, no head."""
_PAIRS = 0.5
"""A pair of Japanese characters counts this much against a word."""


@dataclass(frozen=True, slots=True)
class Words:
    """Names as vectors. P names, V terms (words first, then pairs of characters)."""

    vectors: sparse.csr_matrix
    """(P, V) TF-IDF, rows of unit length or empty."""
    present: sparse.csr_matrix
    """(P, W) 1 where a name has a word; words only."""
    shown: tuple[str, ...]
    """(W,) how the word is most often written."""
    steady: Float64
    """(W,) 1 for a word that nothing takes the place of, near 0 for a colour."""


def read_words(names: Sequence[str | None]) -> Words:
    """Words of each name; a null or wordless name gets an empty row."""
    split = [_split(name) for name in names]
    forms: dict[str, Counter[str]] = {}
    for pieces, _ in split:
        for stem, form in pieces:
            forms.setdefault(stem, Counter())[form] += 1
    stems = sorted(forms)
    pairs = sorted({pair for _, found in split for pair in found})
    code = {("w", stem): i for i, stem in enumerate(stems)}
    code.update({("p", pair): len(stems) + i for i, pair in enumerate(pairs)})
    steady = _steadiness([[stem for stem, _ in pieces] for pieces, _ in split])
    row: list[int] = []
    column: list[int] = []
    value: list[float] = []
    for p, (pieces, found) in enumerate(split):
        weights: dict[int, float] = {}
        # the last word that is no mere variant names the thing
        head = max((i for i, (stem, _) in enumerate(pieces) if steady[stem] > _HEAD_FROM), default=len(pieces) - 1)
        for i, (stem, _) in enumerate(pieces):
            term = code["w", stem]
            weights[term] = max(weights.get(term, 0.0), steady[stem] * (_HEAD if i == head else 1.0))
        for pair in found:
            weights[code["p", pair]] = _PAIRS
        row.extend([p] * len(weights))
        column.extend(weights)
        value.extend(weights.values())
    shape = (len(names), max(len(code), 1))
    counts = sparse.csr_matrix((np.asarray(value, np.float64), (row, column)), shape=shape)
    seen = np.bincount(counts.indices, minlength=shape[1])
    # a word of one product alone joins it to nothing
    idf = np.where(seen > 1, np.log((1 + shape[0]) / (1 + seen)), 0.0)
    weighted = counts @ sparse.diags(idf)
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    vectors = sparse.diags(np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)) @ weighted
    present = counts[:, : len(stems)].copy()
    present.data[:] = 1.0
    shown = tuple(forms[stem].most_common(1)[0][0] for stem in stems)
    return Words(vectors.tocsr(), present.tocsr(), shown, np.array([steady[stem] for stem in stems]))


def _steadiness(names: list[list[str]]) -> dict[str, float]:
    """By word, 1 less the share of its names that exist with another word in its place; floored at 0.05, squared."""
    frames: dict[tuple[str, ...], set[str]] = {}
    for stems in names:
        for i in range(len(stems) if len(stems) > 1 else 0):
            frames.setdefault((*stems[:i], "", *stems[i + 1 :]), set()).add(stems[i])
    seen: Counter[str] = Counter()
    replaced: dict[str, float] = dict.fromkeys({stem for stems in names for stem in stems}, 0.0)
    for stems in names:
        for i, stem in enumerate(stems):
            seen[stem] += 1
            if len(stems) > 1 and len(frames[*stems[:i], "", *stems[i + 1 :]]) > 1:
                # the last place is where the thing itself stands: red bowl, red lamp
                replaced[stem] += 0.5 if i == len(stems) - 1 else 1.0
    # two names' worth of doubt: one chance replacement makes no variant
    return {stem: max(1.0 - replaced[stem] / (count + 2.0), 0.05) ** 2 for stem, count in seen.items()}


def tell_apart(words: Words, group: Int64, groups: int, most: int) -> list[list[str]]:
    """The words most telling of each group, best first: share of its products that have the word, times log lift."""
    if not words.shown:
        return [[] for _ in range(groups)]
    size = np.maximum(np.bincount(group, minlength=groups), 1)
    member = sparse.csr_matrix((np.ones(group.size), (group, np.arange(group.size))), shape=(groups, group.size))
    within: Float64 = np.asarray((member @ words.present).todense()) / size[:, None]
    overall = np.asarray(words.present.mean(axis=0)).ravel()
    found = []
    for g in range(groups):
        had = np.flatnonzero(within[g] > overall)
        value = within[g, had] * np.log(within[g, had] / overall[had]) * words.steady[had] ** 0.5
        order = np.lexsort((had, -value))[:most]
        found.append([words.shown[had[i]] for i in order if within[g, had[i]] * size[g] >= min(2, size[g])])
    return found


def _split(name: str | None) -> tuple[list[tuple[str, str]], set[str]]:
    text = unicodedata.normalize("NFKC", name or "")
    text = _WITH_DIGIT.sub(" ", text)
    pieces = []
    for found in _PIECES.findall(text):
        stem = _stem(found.casefold())
        if stem not in _SMALL and found.casefold() not in _SMALL:
            pieces.append((stem, found.upper() if found.isupper() else found))
    pairs = {run[i : i + 2] for run in _JAPANESE.findall(text) for i in range(len(run) - 1)}
    return pieces, pairs


def _stem(word: str) -> str:
    if not word.isascii() or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("sses", "ss"), ("s", "")):
        if word.endswith(ending):
            return word[: -len(ending)] + instead
    return word
