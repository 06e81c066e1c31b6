"""Facts on disk: tables, the commit log, runs."""
