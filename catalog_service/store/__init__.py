"""Every Redis key and command of the program, and the embedded server.

`connect.open_store` gives a `Store`: versions and their contents, labels, retention, held versions,
source states, the audit and leases.
"""
