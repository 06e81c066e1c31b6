"""The library: tables in, tables out; no web, no wall clock, no global randomness."""
