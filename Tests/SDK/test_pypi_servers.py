# SPDX-License-Identifier: Apache-2.0
"""Real servers from PyPI behind Lodge, used by both official clients."""
import json
import subprocess
from pathlib import Path

import pytest
from broker import python_server
from sdk import Refused, connect

ISOLATIONS = ["shared", "client"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with two commits and a change that is not staged."""
    def git(*arguments: str):
        subprocess.run(
            ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", *arguments],
            cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    for text in ("one\n", "one\ntwo\n"):
        (tmp_path / "notes.txt").write_text(text)
        git("add", "notes.txt")
        git("commit", "--quiet", "--message", f"notes: {text.count(chr(10))} lines")
    (tmp_path / "notes.txt").write_text("one\ntwo\nthree\n")
    return tmp_path


def text_of(result: dict) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_time_server_lists_and_converts(reach, isolation: str):
    target = reach([python_server("mcp-server-time"), "--local-timezone", "UTC"], "--isolation", isolation)
    async with connect(target) as client:
        assert {tool["name"] for tool in await client.list_all("tools")} == {"get_current_time", "convert_time"}
        answer = await client.call(
            "convert_time", {"source_timezone": "Etc/GMT-2", "time": "12:00", "target_timezone": "UTC"})
        assert not answer.get("isError")
        assert "10:00:00+00:00" in json.loads(text_of(answer))["target"]["datetime"]


@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_time_server_says_its_own_error(reach, isolation: str):
    target = reach([python_server("mcp-server-time"), "--local-timezone", "UTC"], "--isolation", isolation)
    async with connect(target) as client:
        answer = await client.call("get_current_time", {"timezone": "Nowhere/At_All"})
        assert answer["isError"] is True
        assert "Nowhere/At_All" in text_of(answer)


@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_git_server_reads_a_repository(reach, isolation: str, repository: Path):
    target = reach([python_server("mcp-server-git"), "--repository", str(repository)], "--isolation", isolation)
    async with connect(target) as client:
        assert {"git_status", "git_log", "git_diff_unstaged"} <= {tool["name"] for tool in await client.list_all("tools")}
        log = text_of(await client.call("git_log", {"repo_path": str(repository), "max_count": 5}))
        assert log.index("notes: 2 lines") < log.index("notes: 1 lines")
        assert "+three" in text_of(await client.call("git_diff_unstaged", {"repo_path": str(repository)}))


@pytest.mark.parametrize("isolation", ISOLATIONS)
async def test_git_server_writes_and_the_next_call_sees_it(reach, isolation: str, repository: Path):
    target = reach([python_server("mcp-server-git"), "--repository", str(repository)], "--isolation", isolation)
    async with connect(target) as client:
        await client.call("git_add", {"repo_path": str(repository), "files": ["notes.txt"]})
        assert "+three" in text_of(await client.call("git_diff_staged", {"repo_path": str(repository)}))
    staged = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], cwd=repository, check=True, capture_output=True, text=True)
    assert staged.stdout == "notes.txt\n"


async def test_git_server_refuses_another_repository(reach, repository: Path, tmp_path_factory: pytest.TempPathFactory):
    target = reach([python_server("mcp-server-git"), "--repository", str(repository)])
    async with connect(target) as client:
        try:
            answer = await client.call("git_status", {"repo_path": str(tmp_path_factory.mktemp("elsewhere"))})
            assert answer["isError"] is True
        except Refused as error:
            assert "outside" in error.message
