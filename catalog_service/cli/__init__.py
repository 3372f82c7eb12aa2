"""The command line, and the composition root: the one place that builds everything and hands it in.

`app` is the program and its exit codes' last resort, `command` makes a command of a coroutine, `wiring`
builds settings, sources, upstream, store and reader; the others are one module a group of commands.
"""
