"""Outcome and judge tables: read from files, checked row by row, and made from others' logs."""
