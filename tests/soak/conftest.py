"""The soak writes its report when it has ended."""

from __future__ import annotations

import pytest

from tests.soak import report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make the document from what the tests kept."""
    if report.ROWS.is_dir() and any(item.get_closest_marker("soak") for item in session.items):
        report.write()
