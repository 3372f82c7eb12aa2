"""Sync: one source is asked, read, compared, judged and committed. The only door to scrapers.

`once.py` is the spine, `run.py` runs it under a lease and tells what came of it, `scheduler.py` runs it
over and over, `held.py` and `rollback.py` carry out what a person decided.
"""
