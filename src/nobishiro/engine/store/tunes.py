"""What a tune chose by backtest on the company's own history; a run reuses the latest."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec

from nobishiro.contracts.errors import StoreError
from nobishiro.engine.settings import RecommendSettings
from nobishiro.engine.store.disk import disk_errors, write_replacing

_FOLDER: Final = "tunes"


class TunedCandidate(msgspec.Struct, frozen=True):
    """One candidate and how it did."""

    name: str
    ndcg: float
    low: float
    high: float
    recall: float
    customers: int


class Tune(msgspec.Struct, frozen=True):
    """A choice and everything it rests on."""

    at: datetime
    commit: int
    as_of: date
    chosen: RecommendSettings
    candidates: tuple[TunedCandidate, ...]
    cuts: tuple[date, ...]
    window_days: int
    k: int
    version: str


def save_tune(workspace: Path, tune: Tune) -> Path:
    """Keep a tune; the newest is the one that counts. The file appears whole or not at all."""
    folder = workspace / _FOLDER
    with disk_errors(workspace):
        folder.mkdir(exist_ok=True)
        number = max((int(path.stem) for path in folder.glob("*.json")), default=0) + 1
        path = folder / f"{number:06d}.json"
        write_replacing(path, msgspec.json.encode(tune))
    return path


def latest_tune(workspace: Path) -> Tune | None:
    """The tune saved last; None when there is none. Raises `StoreError` for a file that cannot be read."""
    paths = sorted((workspace / _FOLDER).glob("*.json"))
    if not paths:
        return None
    try:
        return msgspec.json.decode(paths[-1].read_bytes(), type=Tune)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(
            f"{paths[-1]}: no readable tune ({error}); remove it and run `nobishiro tune` again"
        ) from error
