"""Channels: what subscribers other than webhooks are told, and how it leaves where that is no POST.

`words.py` says what they say alike; `slack.py` and `teams.py` are bodies for the guarded client, `mail.py` and
`apprise.py` send by themselves. The notifier calls them.
"""
