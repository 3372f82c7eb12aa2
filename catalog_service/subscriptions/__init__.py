"""Subscriptions: who wants to be told what. Managing them, without any network: `notify` does the telling.

`desk.py` has the verbs, `vault.py` seals secrets, `targets.py` says which addresses may be told.
"""
