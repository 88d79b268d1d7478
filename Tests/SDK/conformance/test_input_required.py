# SPDX-License-Identifier: Apache-2.0
"""The fourteen scenarios `input-required-result-…` of the conformance suite."""
import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from modern import ROOTS, ModernClient, answers_to, elicited, meta, sampled, state_of  # noqa: E402

pytestmark = pytest.mark.broker
TOOL = "test_input_required_result_"


class TidyClient(ModernClient):
    """Ends every call that a test left half way. The keys of a legacy child are ids of its requests, and one that is
    still open would turn the `user_name` that the next test expects into `user_name-2`."""

    def __init__(self, url: str, capabilities: dict | None = None):
        super().__init__(url, capabilities)
        self.open: dict[str, tuple[str, dict, dict]] = {}

    def result(self, method: str, params: dict | None = None, **more) -> dict:
        result = super().result(method, params, **more)
        self.note(method, params or {}, result)
        return result

    def note(self, method: str, params: dict, result: dict):
        self.open.pop(params.get("requestState", ""), None)
        if "requestState" in result:
            kept = {name: value for name, value in params.items() if name in ("name", "arguments")}
            self.open[result["requestState"]] = (method, kept, result)

    def end(self):
        # Some servers never end such a call; ours do, within two rounds.
        for _ in range(8):
            if not self.open:
                return
            method, params, result = next(iter(self.open.values()))
            self.result(method, {**params, "inputResponses": answers_to(result), **state_of(result)})


@pytest.fixture
def modern(url: str):
    """A client that can answer everything that a server may ask."""
    client = TidyClient(url)
    yield client
    client.end()


def asked(result: dict) -> dict[str, str]:
    """The methods of what is required, by key."""
    assert result["resultType"] == "input_required", result
    return {key: request["method"] for key, request in result["inputRequests"].items()}


def text_of(result: dict) -> str:
    assert result["resultType"] == "complete", result
    return "\n".join(block["text"] for block in result["content"])


def test_input_required_result_basic_elicitation(modern: ModernClient):
    first = modern.call(f"{TOOL}elicitation")
    assert asked(first) == {"user_name": "elicitation/create"}
    second = modern.call(f"{TOOL}elicitation", inputResponses={"user_name": elicited(name="Alice")}, **state_of(first))
    assert text_of(second) == "Hello, Alice!"


def test_input_required_result_basic_sampling(modern: ModernClient):
    first = modern.call(f"{TOOL}sampling")
    ((key, method),) = asked(first).items()
    assert method == "sampling/createMessage"
    answer = {key: sampled("The capital of France is Paris.")}
    assert "Paris" in text_of(modern.call(f"{TOOL}sampling", inputResponses=answer, **state_of(first)))


def test_input_required_result_basic_list_roots(modern: ModernClient):
    first = modern.call(f"{TOOL}list_roots")
    ((key, method),) = asked(first).items()
    assert method == "roots/list"
    assert text_of(modern.call(f"{TOOL}list_roots", inputResponses={key: ROOTS}, **state_of(first)))


def test_input_required_result_request_state(modern: ModernClient):
    first = modern.call(f"{TOOL}request_state")
    assert asked(first)
    assert isinstance(first["requestState"], str)
    answer = {key: elicited(ok=True) for key in asked(first)}
    assert "state-ok" in text_of(modern.call(f"{TOOL}request_state", inputResponses=answer, **state_of(first)))


def test_input_required_result_multiple_input_requests(modern: ModernClient):
    first = modern.call(f"{TOOL}multiple_inputs")
    assert sorted(asked(first).values()) == ["elicitation/create", "roots/list", "sampling/createMessage"]
    assert first["requestState"]
    assert text_of(modern.call(f"{TOOL}multiple_inputs", inputResponses=answers_to(first), **state_of(first)))


def test_input_required_result_multi_round(modern: ModernClient):
    first = modern.call(f"{TOOL}multi_round")
    assert first["requestState"]
    answer = {key: elicited(name="Alice") for key in asked(first)}
    second = modern.call(f"{TOOL}multi_round", inputResponses=answer, **state_of(first))
    assert asked(second) != asked(first)
    assert second["requestState"] != first["requestState"]
    answer = {key: elicited(color="blue") for key in asked(second)}
    assert text_of(modern.call(f"{TOOL}multi_round", inputResponses=answer, **state_of(second)))


def test_input_required_result_missing_input_response(modern: ModernClient):
    """Answers to what was not asked, in a first request: it is asked again, and that is no error."""
    result = modern.call(f"{TOOL}elicitation", inputResponses={"wrong_key": elicited(data="wrong")})
    assert asked(result) == {"user_name": "elicitation/create"}


def test_input_required_result_missing_input_response_in_a_retry(modern: ModernClient):
    """Beyond the suite: the same in a retry, after which the right answer still ends the call."""
    first = modern.call(f"{TOOL}elicitation")
    second = modern.call(f"{TOOL}elicitation", inputResponses={"wrong_key": elicited(data="wrong")}, **state_of(first))
    assert asked(second) == {"user_name": "elicitation/create"}
    third = modern.call(f"{TOOL}elicitation", inputResponses={"user_name": elicited(name="Bob")}, **state_of(second))
    assert text_of(third) == "Hello, Bob!"


def test_input_required_result_non_tool_request(modern: ModernClient):
    name = {"name": f"{TOOL}prompt"}
    first = modern.result("prompts/get", name)
    assert set(asked(first).values()) == {"elicitation/create"}
    answer = {key: elicited(context="test context") for key in asked(first)}
    second = modern.result("prompts/get", {**name, "inputResponses": answer, **state_of(first)})
    assert second["resultType"] == "complete"
    assert "test context" in str(second["messages"])


def test_input_required_result_result_type(modern: ModernClient):
    assert modern.call(f"{TOOL}elicitation")["resultType"] == "input_required"
    assert modern.call("test_simple_text")["resultType"] == "complete"


@pytest.mark.parametrize("method", ["tools/list", "prompts/list"])
def test_input_required_result_unsupported_methods(modern: ModernClient, method: str):
    assert modern.result(method)["resultType"] == "complete"


def test_input_required_result_tampered_state(modern: ModernClient):
    tool = f"{TOOL}tampered_state"
    first = modern.call(tool)
    answer = {key: elicited(ok=True) for key in asked(first)}
    modern.error(400, -32602, "tools/call", {
        "name": tool, "arguments": {}, "inputResponses": answer, "requestState": f"{first['requestState']}-TAMPERED"})


@pytest.mark.parametrize(("declared", "allowed"), [
    ({"sampling": {}}, {"sampling/createMessage"}),
    ({"elicitation": {}}, {"elicitation/create"}),
], ids=["sampling", "elicitation"])
def test_input_required_result_capability_check(url: str, declared: dict, allowed: set):
    """Only what the client of this very request declared is asked of it."""
    client = TidyClient(url, declared)
    assert set(asked(client.call(f"{TOOL}capabilities")).values()) == allowed
    client.end()


def test_input_required_result_ignore_extra_params(modern: ModernClient):
    """The answer is there already in the first request, with others that nobody asked for."""
    result = modern.call(f"{TOOL}elicitation", inputResponses={
        "user_name": elicited(name="Alice"), "unknown_extra_key": elicited(foo="bar"), "another": elicited(baz=123)})
    assert text_of(result) == "Hello, Alice!"


@pytest.mark.parametrize("responses", [{"user_name": 12345}, None], ids=["number", "null"])
def test_input_required_result_validate_input(modern: ModernClient, responses):
    params = {"name": f"{TOOL}elicitation", "arguments": {}, "inputResponses": responses, "_meta": meta()}
    with modern.send("tools/call", params, valid=False) as exchange:
        answer = exchange.response()
    # Refused or asked again, but never taken for an answer.
    if "error" not in answer:
        assert asked(answer["result"]) == {"user_name": "elicitation/create"}
        modern.note("tools/call", params, answer["result"])
