"""Every Redis key and command of the program, and the embedded server.

`connect.open_store` gives a `Store`: versions, held versions, source states and leases.
"""
