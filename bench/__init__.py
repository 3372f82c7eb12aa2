"""Benchmarks: ratios against a limit and a peer, measured in the same run. ``make bench`` runs them."""
