"""GraphiQL for browsers that open ``/graphql``: the page with its example tabs, and the files it loads.

`page` writes the page, `assets` serves what the build hook (``web/hook.py``) made of the committed npm lock.
Called by `app`.
"""

from catalog_service.api.graphiql.assets import asset_routes as asset_routes
from catalog_service.api.graphiql.page import graphiql_page as graphiql_page
