"""Facts on disk: tables, the commit log, runs."""

from nobishiro.engine.store.commits import Commit, TableChange
from nobishiro.engine.store.comparison import Comparison
from nobishiro.engine.store.runs import Run, RunWriter
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.transaction import Transaction
from nobishiro.engine.store.undo import UndoneTable, UndoResult
from nobishiro.engine.store.upkeep import CompactResult, DiskUsage, TableUsage, VacuumResult

__all__ = [
    "Commit",
    "CompactResult",
    "Comparison",
    "DiskUsage",
    "Run",
    "RunWriter",
    "Store",
    "TableChange",
    "TableUsage",
    "Transaction",
    "UndoResult",
    "UndoneTable",
    "VacuumResult",
]
