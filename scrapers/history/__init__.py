"""An upstream's past: `files` finds and dates it, `unpack` opens archives, `git` asks a working copy."""
