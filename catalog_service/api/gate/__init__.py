"""What stands before every request, outermost, as a raw ASGI layer: who asks, from where, how often, and may they.

`gate` is the layer; it asks the others, which know nothing of ASGI but headers. Called by `app`.
"""
