"""Pages for people: server-rendered HTML over the same `reads` as REST, without a script or a foreign resource.

In: a request of a browser. Out: HTML from the templates beside this file, under a strict Content-Security-Policy.
`routes` has every page; `app` mounts them.
"""
