"""Who asks, and what they may: tokens are made and known here; the API asks, the command line manages."""
