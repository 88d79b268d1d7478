# SPDX-License-Identifier: Apache-2.0
"""Scenarios `caching` and `sep-2164-resource-not-found` of the conformance suite."""
import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from modern import ModernClient  # noqa: E402

pytestmark = pytest.mark.broker
NOWHERE = "test://nonexistent-resource-for-conformance-testing"


@pytest.mark.parametrize("method", [
    "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"])
def test_caching(url: str, method: str):
    params = {"uri": "test://static-text"} if method == "resources/read" else {}
    result = ModernClient(url).result(method, params)
    assert isinstance(result["ttlMs"], int)
    assert result["ttlMs"] >= 0
    assert result["cacheScope"] in ("public", "private")


def test_sep_2164_resource_not_found(url: str):
    error = ModernClient(url).error(400, -32602, "resources/read", {"uri": NOWHERE})
    assert error["data"]["uri"] == NOWHERE
