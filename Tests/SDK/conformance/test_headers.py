# SPDX-License-Identifier: Apache-2.0
"""Scenarios `http-header-validation` and `http-custom-header-server-validation` of the conformance suite."""
import base64

import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from modern import ModernClient  # noqa: E402

pytestmark = pytest.mark.broker
CALL = {"name": "test_simple_text", "arguments": {}}
HELLO = base64.b64encode(b"Hello").decode()


@pytest.fixture
def modern(url: str) -> ModernClient:
    return ModernClient(url)


@pytest.mark.parametrize("value", ["prompts/list", None, "TOOLS/LIST", ""], ids=["other", "missing", "case", "empty"])
def test_http_header_validation_rejects_method(modern: ModernClient, value: str | None):
    modern.error(400, -32020, "tools/list", headers={"Mcp-Method": value})


@pytest.mark.parametrize("value", ["wrong_tool_name", None, "TEST_SIMPLE_TEXT"], ids=["other", "missing", "case"])
def test_http_header_validation_rejects_name(modern: ModernClient, value: str | None):
    modern.error(400, -32020, "tools/call", CALL, headers={"Mcp-Name": value})


@pytest.mark.parametrize("value", ["  test_simple_text  ", "\ttest_simple_text"], ids=["spaces", "tab"])
def test_http_header_validation_trims_whitespace(modern: ModernClient, value: str):
    assert modern.result("tools/call", CALL, headers={"Mcp-Name": value})["content"]


@pytest.mark.parametrize("name", ["mcp-method", "MCP-METHOD"])
def test_http_header_validation_names_in_any_case(modern: ModernClient, name: str):
    assert modern.result("tools/list", headers={name: "tools/list"})["tools"]


def test_http_header_validation_decodes_a_name(modern: ModernClient):
    """Beyond the suite: a name in Base64 is the name, and what only looks like it is none."""
    name = base64.b64encode(b"test_simple_text").decode()
    assert modern.result("tools/call", CALL, headers={"Mcp-Name": f"=?base64?{name}?="})["content"]
    modern.error(400, -32020, "tools/call", CALL, headers={"Mcp-Name": f"=?BASE64?{name}?="})


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
def test_http_header_validation_rejects_a_second_value(modern: ModernClient, name: str):
    """Beyond the suite: two values of a header that routes are no value, though one of them be right."""
    modern.error(400, -32020, "tools/call", CALL, extra=[(name, "other")])


@pytest.fixture(scope="module")
def annotated(url: str) -> dict:
    """The tool with annotated parameters: its name, one of its parameters that is a string, and the headers."""
    for tool in ModernClient(url).result("tools/list")["tools"]:
        properties = tool["inputSchema"].get("properties", {})
        headers = {name: one["x-mcp-header"] for name, one in properties.items() if "x-mcp-header" in one}
        for name in headers:
            if properties[name].get("type") == "string":
                return {"tool": tool, "name": name, "headers": headers}
    raise AssertionError("no tool has a string parameter with 'x-mcp-header'")


def request_with(annotated: dict, value: str, header: str | None) -> dict:
    """A call whose body has `value` and whose header has `header`; what else the tool requires is in both."""
    schema = annotated["tool"]["inputSchema"]
    plain = {"integer": 0, "number": 0, "boolean": False}
    arguments = {name: plain.get(schema["properties"][name].get("type"), "test-default")
                 for name in schema.get("required", [])} | {annotated["name"]: value}
    extra = [(f"Mcp-Param-{annotated['headers'][name]}", str(argument).lower() if argument is False else str(argument))
             for name, argument in arguments.items() if name in annotated["headers"] and name != annotated["name"]]
    if header is not None:
        extra.append((f"Mcp-Param-{annotated['headers'][annotated['name']]}", header))
    return {"params": {"name": annotated["tool"]["name"], "arguments": arguments}, "extra": extra}


ACCEPTED = {
    "base64": ("Hello", f"=?base64?{HELLO}?="),
    "literal": ("Hello", "Hello"),
    "without_prefix": (HELLO, HELLO),
    "without_suffix": (f"=?base64?{HELLO}", f"=?base64?{HELLO}"),
    "not_ascii": ("Grüße 🌍", f"=?base64?{base64.b64encode('Grüße 🌍'.encode()).decode()}?="),
    "edge_whitespace": (" x ", f"=?base64?{base64.b64encode(b' x ').decode()}?="),
}
REJECTED = {
    "padding": ("Hello", "=?base64?SGVsbG8?="),
    "characters": ("Hello", "=?base64?SGVs!!!bG8=?="),
    "missing": ("test-value", None),
    "other": ("Hello", "World"),
    "case": ("Hello", "hello"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_http_custom_header_server_validation_accepts(modern: ModernClient, annotated: dict, case: str):
    assert modern.result("tools/call", **request_with(annotated, *ACCEPTED[case]))["content"]


@pytest.mark.parametrize("case", REJECTED)
def test_http_custom_header_server_validation_rejects(modern: ModernClient, annotated: dict, case: str):
    modern.error(400, -32020, "tools/call", **request_with(annotated, *REJECTED[case]))
