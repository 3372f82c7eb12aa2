"""What takes longer than a suite may: `make soak` runs it all and writes docs/reliability.md."""
