"""Ready-made mappings for the exports of known systems: one TOML file each; a directory of one's own adds to them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from nobishiro.contracts.errors import FileNotUsable, UnknownName
from nobishiro.engine.intake.headers import find_headers, read_header
from nobishiro.engine.intake.mapping import ColumnMapping, check_mapping

VERIFIED: Final = ("source_code", "documentation", "knowledge")
"""How sure the headers are: read in the system's own code, in public documentation, or known but not checked."""


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one system writes one of its exports."""

    name: str = ""
    """The file's name without `.toml`."""
    ja: str
    en: str
    source: str
    """Where the headers come from, in a sentence."""
    verified: str
    """One of `VERIFIED`; none of ours has been checked on a real export unless `source` says so."""
    signature: tuple[str, ...]
    """Headers that are all there in such a file, and hardly together in another."""
    example: tuple[tuple[str, ...], ...]
    """The header row and a few made-up rows."""
    mapping: ColumnMapping


def list_presets(directories: Sequence[Path] = ()) -> tuple[Preset, ...]:
    """Every preset, ours and those in `directories`, by name; a later directory's replaces one of the same name."""
    found = {preset.name: preset for preset in _bundled()}
    for directory in directories:
        for path in sorted(directory.glob("*.toml")):
            preset = _parse(path.stem, path.read_bytes(), str(path))
            found[preset.name] = preset
    return tuple(found[name] for name in sorted(found))


def load_preset(name: str, directories: Sequence[Path] = ()) -> Preset:
    """The preset called `name`. Raises `UnknownName` with those that exist."""
    presets = {preset.name: preset for preset in list_presets(directories)}
    if name not in presets:
        raise UnknownName(f"there is no preset {name!r}; there are {', '.join(presets)}")
    return presets[name]


def match_preset(headers: Iterable[str], directories: Sequence[Path] = ()) -> Preset | None:
    """The preset whose whole signature stands among `headers`; of several the one that explains most of them."""
    present = tuple(headers)
    best: tuple[int, int, str] | None = None
    chosen = None
    for preset in list_presets(directories):
        found = find_headers(preset.signature, present)
        # A header that names its sheet is the system's own; 商品コード alone stands in everybody's ledger.
        if any(read_header(h).sheet != read_header(found[h]).sheet for h in preset.signature if h in found):
            continue
        if len(found) < len(set(preset.signature)):
            continue
        wanted = {header for mapping in (preset.mapping, *preset.mapping.also) for header, _ in mapping.columns}
        score = (len(find_headers(wanted, present)), len(preset.signature), preset.name)
        if best is None or score[:2] > best[:2]:
            best, chosen = score, preset
    return chosen


@cache
def _bundled() -> tuple[Preset, ...]:
    folder = files(__package__).joinpath("presets")
    named = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(_parse(entry.name.removesuffix(".toml"), entry.read_bytes(), entry.name) for entry in named)


def _parse(name: str, content: bytes, place: str) -> Preset:
    try:
        preset = msgspec.convert(tomllib.loads(content.decode("utf-8")), Preset)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FileNotUsable(f"{place}: no usable preset: {error}; compare it with docs and the bundled ones") from error
    if preset.verified not in VERIFIED or not preset.signature:
        raise FileNotUsable(f"{place}: verified has to be one of {', '.join(VERIFIED)} and signature not empty")
    check_mapping(preset.mapping, place)
    return msgspec.structs.replace(preset, name=name)
