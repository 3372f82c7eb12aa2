"""Everything that remembers, answers and tells: catalog (pure), store, sync, api and the command line."""
