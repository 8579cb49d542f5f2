"""The store over PostgreSQL, in a schema of its own: log, keys and budgets of many replicas.

schema.py      the steps that make the schema
migrating.py   brings a database to the present schema, one replica at a time
link.py        the connection that writes, and what its errors are called
log.py         keeps outcomes; catches up after an outage
partitions.py  a table a day; retention drops whole days
read.py        what `emafusion log` reads

Needs the extra `postgres`. Nothing here is imported unless a config names a database.
"""
