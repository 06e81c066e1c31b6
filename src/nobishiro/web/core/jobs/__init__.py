"""Work behind the pages: a lease table, a worker, a schedule."""
