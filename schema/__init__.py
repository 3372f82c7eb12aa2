"""The words of the catalogue: frozen records, canonical forms and the error tree.

Everything above this floor (scrapers, catalog_service) speaks in these types. This package
does no I/O, reads no clock and imports the standard library and msgspec alone.
"""
