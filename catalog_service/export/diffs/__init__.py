"""Diffs as files: what `views.changes.Diff` says, for people, spreadsheets and programs. `formats` lists them."""
