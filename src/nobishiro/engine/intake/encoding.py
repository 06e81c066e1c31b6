"""Which encoding a text file is in, and its bytes as UTF-8, block by block.

Order: byte order mark → strict UTF-8 → strict CP932 → EUC-JP → an error that says where each one failed. Statistical
detectors are not used: on Japanese business files they guess with little confidence, while strict decoding is right or
says no. A file in which at most one line in a hundred cannot be decoded is read without those lines. CP932 also decodes
many a UTF-8 line, into nonsense: a line that is UTF-8 in a file that is not counts as one that cannot be decoded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from nobishiro.contracts.errors import EncodingUnknown, FileNotUsable, UnknownName
from nobishiro.engine.intake.raw import EncodingGuess

BLOCK_BYTES: Final = 32 << 20
"""How much of a file is held at once."""
HEAD_BYTES: Final = 1 << 20
MAX_UNDECODABLE_SHARE: Final = 0.01

_CANDIDATES: Final = ("utf-8", "cp932", "euc_jp")
_NOT_UTF8: Final = ("cp932", "euc_jp")
_SHIFT_JIS: Final = frozenset({"shift_jis", "shift_jis_2004", "shift_jisx0213", "cp932", "mskanji"})
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FREQUENT_KANJI: Final = frozenset(
    "得意先顧客商品名前売上金額数量単価日付年月番号受注伝票担当者部門会社株式住所電話合計小備考区分店東京都大阪府県市"
    "有限本支所業種製造販購入仕納期請求税込抜原粗利率契約見積案件種類型式規格価定在庫発送料現実績予算目標前比北南西山田中村木林高橋"
)
_JAPANESE_UTF8: Final = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2}")
"""Two characters of Japanese in UTF-8. Other encodings hold such bytes too, but hardly lines that are valid UTF-8."""


@dataclass(frozen=True, slots=True)
class _Failure:
    encoding: str
    line: int
    byte: str

    def __str__(self) -> str:
        return f"{self.encoding}: line {self.line} (byte {self.byte})"


def normal_encoding(name: str) -> str:
    """Python's name of an encoding; every Shift_JIS means CP932 (Windows-31J). Raises `UnknownName`."""
    simple = name.strip().lower().replace("windows-31j", "cp932").replace("sjis", "shift_jis").replace("ms932", "cp932")
    try:
        found = codecs.lookup(simple).name
    except LookupError as error:
        raise UnknownName(
            f'encoding "{name}" is not known; use utf-8, utf-8-sig, utf-16, cp932 (Shift_JIS) or euc_jp'
        ) from error
    return "cp932" if found.replace("-", "_") in _SHIFT_JIS else found


def detect_encoding(path: Path, wanted: str | None = None) -> EncodingGuess:
    """The encoding that reads the whole file, or nearly all its lines. Reads the file once per candidate.

    `wanted` overrides the guess and is checked the same way. Raises `EncodingUnknown` with the place where each
    candidate failed, `FileNotUsable` for binary data.
    """
    head = _head(path)
    guess = guess_from_head(path, head, wanted)
    candidates: tuple[str, ...] = (guess.encoding,)
    if not wanted and not guess.bom_bytes:
        candidates += tuple(encoding for encoding in _CANDIDATES if encoding != guess.encoding)
    failures = []
    for encoding in candidates:
        failure = _first_failure(path, encoding, guess.bom_bytes)
        if failure is None:
            return guess if encoding == guess.encoding else _checked(path, encoding, head)
        failures.append(failure)
    return _mostly_decodable(path, candidates, guess.bom_bytes, failures)


def guess_from_head(path: Path, head: bytes, wanted: str | None = None) -> EncodingGuess:
    """The guess from the first bytes alone; `utf8_blocks` finds out whether it holds to the end.

    Raises `UnknownName` for an unknown `wanted`, `FileNotUsable` for binary data.
    """
    mark = next(((encoding, len(bom)) for bom, encoding in _MARKS if head.startswith(bom)), None)
    if wanted is not None:
        encoding = normal_encoding(wanted)
        if mark is not None and mark[0].removesuffix("-sig").startswith(encoding.removesuffix("-sig")):
            return EncodingGuess(mark[0], mark[1], f"{mark[0]}: as you said, and the byte order mark agrees")
        if encoding == "utf-16":
            encoding = "utf-16-le"
        return EncodingGuess(encoding.replace("utf-8-sig", "utf-8"), 0, f"{encoding}: as you said")
    if mark is not None:
        return EncodingGuess(mark[0], mark[1], f"{mark[0]}: the file begins with its byte order mark")
    if b"\0" in head:
        return _without_mark(path, head)
    if b"\x1b$B" in head or b"\x1b$@" in head:
        return EncodingGuess("iso2022_jp", 0, "iso2022_jp: the file holds JIS escape sequences")
    for encoding in _CANDIDATES:
        if _decodes(head, encoding):
            return _judged(head, encoding)
    return EncodingGuess("utf-8", 0, "utf-8: nothing fits the first lines")


def utf8_blocks(path: Path, guess: EncodingGuess) -> Iterator[bytes]:
    """The file's text as UTF-8 bytes without byte order mark, in blocks that end anywhere between two characters.

    Raises `UnicodeDecodeError` at the first byte the encoding cannot read, unless `guess.undecodable_lines` names
    its line; such a line comes in the encoding that does read it, else with U+FFFD where it cannot be read.
    """
    if guess.undecodable_lines:
        yield from _patched_blocks(path, guess)
        return
    if guess.encoding in ("utf-8", "utf-8-sig"):
        yield from _checked_utf8(path, guess.bom_bytes)
        return
    decoder = codecs.getincrementaldecoder(guess.encoding)("strict")
    for block, last in _raw_blocks(path, guess.bom_bytes):
        text = decoder.decode(block, last)
        if guess.encoding in _NOT_UTF8 and (start := _foreign_line(block)) is not None:
            raise UnicodeDecodeError(guess.encoding, block, start, start + 1, "the line is UTF-8")
        if text:
            yield text.encode("utf-8")


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        whole = not stream.read(1)
    cut = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head if whole or cut < 0 else head[: cut + 1]


def _raw_blocks(path: Path, skip: int) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as stream:
        stream.seek(skip)
        block = stream.read(BLOCK_BYTES)
        while True:
            following = stream.read(BLOCK_BYTES)
            yield block, not following
            if not following:
                return
            block = following


def _checked_utf8(path: Path, skip: int) -> Iterator[bytes]:
    carry = b""
    for raw, last in _raw_blocks(path, skip):
        block = carry + raw if carry else raw
        cut = len(block) if last else _character_boundary(block)
        carry = block[cut:]
        block = block[:cut] if carry else block
        if not _is_utf8(block):
            block.decode("utf-8")  # raises with the place
        if block:
            yield block


def _character_boundary(block: bytes) -> int:
    """Where the last, perhaps unfinished, character of a UTF-8 block begins."""
    cut = len(block)
    while cut > len(block) - 4 and cut > 0 and block[cut - 1] & 0xC0 == 0x80:
        cut -= 1
    if cut > 0 and block[cut - 1] >= 0xC0:
        return cut - 1
    return len(block)


def _is_utf8(block: bytes) -> bool:
    # Arrow checks UTF-8 several times faster than decoding into a Python string does.
    offsets = pa.py_buffer(len(block).to_bytes(8, "little").rjust(16, b"\0"))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(block)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _reads(line: bytes, encoding: str) -> bool:
    """Whether a line is in the encoding, as far as can be told."""
    return _decodes(line, encoding) and not (encoding in _NOT_UTF8 and _is_foreign(line))


def _is_foreign(line: bytes) -> bool:
    return _JAPANESE_UTF8.search(line) is not None and _decodes(line, "utf-8")


def _foreign_line(block: bytes) -> int | None:
    """Where Japanese in UTF-8 begins in the first whole line of it."""
    for found in _JAPANESE_UTF8.finditer(block):
        begin, end = block.rfind(b"\n", 0, found.start()) + 1, block.find(b"\n", found.end())
        if _is_foreign(block[begin : end if end >= 0 else len(block)]):
            return found.start()
    return None


def _first_failure(path: Path, encoding: str, skip: int) -> _Failure | None:
    guess = EncodingGuess(encoding, skip, "")
    line = 1
    try:
        for block in utf8_blocks(path, guess):
            line += _line_breaks(block)
    except UnicodeDecodeError as error:
        before = bytes(error.object[: error.start])
        where = line + (0 if encoding.startswith(("utf-16", "utf-32")) else _line_breaks(before))
        return _Failure(encoding, where, f"0x{error.object[error.start]:02X}")
    return None


def _line_breaks(data: bytes) -> int:
    return data.count(b"\n") + (data.count(b"\r") - data.count(b"\r\n"))


def _checked(path: Path, encoding: str, head: bytes) -> EncodingGuess:
    if encoding == "cp932":
        return _judged(head if _decodes(head, "cp932") else b"", encoding)
    return EncodingGuess(encoding, 0, f"{encoding}: reads the whole file of {path.name}")


def _judged(head: bytes, encoding: str) -> EncodingGuess:
    """CP932 also "reads" short EUC-JP texts, as half-width katakana: take EUC-JP where that makes words."""
    if encoding == "cp932" and _decodes(head, "euc_jp"):
        shown = [c for c in head.decode("cp932") if ord(c) > 127]
        # Private-use characters (gaiji) count too: EUC-JP's second bytes fall there as well.
        halves = sum("\uff61" <= c <= "\uff9f" or "\ue000" <= c <= "\uf8ff" for c in shown)
        other = [c for c in head.decode("euc_jp") if ord(c) > 127]
        words = sum("\u3041" <= c <= "\u30fe" or c in _FREQUENT_KANJI for c in other)
        if halves * 2 > len(shown) and words * 10 >= len(other) * 3:
            return EncodingGuess("euc_jp", 0, "euc_jp: CP932 would show half-width katakana where EUC-JP shows words")
    reasons = {
        "utf-8": "utf-8: every byte is valid UTF-8" if any(b > 127 for b in head) else "utf-8: plain ASCII so far",
        "cp932": "cp932 (Shift_JIS): not UTF-8, and every byte is valid CP932",
        "euc_jp": "euc_jp: neither UTF-8 nor CP932, and every byte is valid EUC-JP",
    }
    return EncodingGuess(encoding, 0, reasons[encoding])


def _without_mark(path: Path, head: bytes) -> EncodingGuess:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > half * 0.1 and others < half * 0.02 and _decodes(head[: len(head) // 2 * 2], encoding):
            return EncodingGuess(encoding, 0, f"{encoding}: zero bytes at every other place, without a byte order mark")
    raise FileNotUsable(f"{path.name} holds binary data, not text; export it as CSV or Excel")


def _mostly_decodable(path: Path, candidates: tuple[str, ...], skip: int, failures: list[_Failure]) -> EncodingGuess:
    bad: dict[str, list[int]] = {
        encoding: [] for encoding in candidates if not encoding.startswith(("utf-16", "utf-32"))
    }
    total = 0
    for line, text in _numbered_lines(path, skip):
        total = line
        for encoding, lines in bad.items():
            if not _reads(text, encoding):
                lines.append(line)
    allowed = total * MAX_UNDECODABLE_SHARE
    best = min(bad, key=lambda encoding: len(bad[encoding]), default=None)
    if best is not None and len(bad[best]) <= allowed:
        undecodable = tuple(bad[best])
        reason = f"{best}: reads all but {len(undecodable):,} of {total:,} lines; those are rejected"
        return EncodingGuess(best, skip, reason, undecodable)
    counts = "; ".join(
        f"{failure} and {len(bad.get(failure.encoding, ()))} of {total:,} lines in all"
        if failure.encoding in bad
        else str(failure)
        for failure in failures
    )
    raise EncodingUnknown(
        f"{path.name}: no encoding reads it; first failures: {counts}. Save it again as UTF-8, or name its encoding"
    )


def _numbered_lines(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    line = 0
    carry = b""
    for raw, last in _raw_blocks(path, skip):
        block = carry + raw
        cut = len(block) if last else block.rfind(b"\n") + 1
        carry = block[cut:]
        for text in block[:cut].splitlines(keepends=True):
            line += 1
            yield line, text


def _patched_blocks(path: Path, guess: EncodingGuess) -> Iterator[bytes]:
    bad = frozenset(guess.undecodable_lines)
    others = [encoding for encoding in _CANDIDATES if encoding != guess.encoding.removesuffix("-sig")]
    encoding = guess.encoding.removesuffix("-sig")
    held: list[bytes] = []
    size = 0
    for line, raw in _numbered_lines(path, guess.bom_bytes):
        if line in bad:
            readable = next((other for other in others if _decodes(raw, other)), None)
            text = raw.decode(readable) if readable else raw.decode(encoding, "replace")
        else:
            text = raw.decode(encoding)
        held.append(text.encode("utf-8"))
        size += len(raw)
        if size >= BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
