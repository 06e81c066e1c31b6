"""Facts on disk: tables, the commit log, runs."""

from nobishiro.engine.store.commits import Commit
from nobishiro.engine.store.comparison import Comparison
from nobishiro.engine.store.store import Store
from nobishiro.engine.store.transaction import Transaction

__all__ = ["Commit", "Comparison", "Store", "Transaction"]
