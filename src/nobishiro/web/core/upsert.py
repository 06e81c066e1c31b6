"""Many rows by their code with one statement compiled once. `bulk_create(update_conflicts=True)` is slower on SQLite, whose
statements hold only some dozen rows of a wide table. The same SQL works on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from django.db import connections, router, transaction
from django.db.models import Model

_BATCH: Final = 1_000


def upsert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    key: str = "code",
    updated: Sequence[str] | None = None,
) -> int:
    """Insert the rows, or where the key is there already set `updated` (default: all other columns); how many were given.

    `columns` are names of fields (a foreign key's with `_id`); fields left out take their default in new rows and stay in known
    ones. `key` needs a unique constraint. Every 1,000 rows are a transaction, so that others may write in between.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    unknown = set(columns) - fields.keys()
    if unknown:
        raise ValueError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    rest = [field for name, field in fields.items() if name not in columns]
    defaults = tuple(field.get_db_prep_save(field.get_default(), connection) for field in rest)
    placed = {name: connection.ops.quote_name(str(field.column)) for name, field in fields.items()}
    written = [placed[name] for name in columns] + [placed[field.attname] for field in rest]
    changed = [placed[name] for name in updated or [name for name in columns if name != key]]
    sql = (
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(written)}) "
        f"VALUES ({', '.join(['%s'] * len(written))}) ON CONFLICT ({placed[key]}) "
        f"DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in changed)}"
    )
    left, count = iter(rows), 0
    while batch := [(*row, *defaults) for row in islice(left, _BATCH)]:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.executemany(sql, batch)
        count += len(batch)
    return count
