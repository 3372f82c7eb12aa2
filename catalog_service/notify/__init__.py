"""Notify: the changeset stream becomes deliveries to subscribers.

`relay.py` hands each event to the queues of the subscriptions it matches, `rounds.py` decides what waits together,
`notifier.py` sends what is due and settles it. It meets sync and serve in the store alone.
"""
