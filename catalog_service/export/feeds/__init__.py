"""Feeds: what happened, as news readers and calendars take it. In: values. Out: bytes; nothing is looked up here."""
