"""Other people's logs and benchmarks -> outcome and judge tables, one importer a file."""
