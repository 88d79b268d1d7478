// SPDX-License-Identifier: Apache-2.0

import ChildProcesses
import Testing

@Suite("built environment")
struct BuiltEnvironmentTests {
    private let parent = [
        "PATH": "/bin", "HOME": "/home/u", "LC_ALL": "C", "LC_TIME": "C", "TZ": "UTC", "AWS_SECRET_ACCESS_KEY": "s",
        "LD_PRELOAD": "x", "XDG_RUNTIME_DIR": "/run/user/1", "HTTPS_PROXY": "p", "https_proxy": "q", "path": "no",
        "EDITOR": "vi",
    ]

    @Test("only allowed variables come from the parent")
    func allowed() {
        #expect(
            BuiltEnvironment.build(parent: parent) == [
                "PATH": "/bin", "HOME": "/home/u", "LC_ALL": "C", "LC_TIME": "C", "TZ": "UTC", "HTTPS_PROXY": "p",
                "https_proxy": "q",
            ])
    }

    @Test("a listed name is passed through, one the parent lacks stays unset")
    func passThrough() {
        let built = BuiltEnvironment.build(parent: ["EDITOR": "vi", "OTHER": "x"], passThrough: ["EDITOR", "ABSENT"])
        #expect(built == ["EDITOR": "vi"])
    }

    @Test("explicit beats the parent, forced beats all")
    func precedence() {
        let built = BuiltEnvironment.build(
            parent: ["PATH": "parent", "HOME": "parent", "TERM": "parent"],
            explicit: ["HOME": "explicit", "TERM": "explicit", "NEW": "explicit"], forced: ["TERM": "forced"])
        #expect(built == ["PATH": "parent", "HOME": "explicit", "TERM": "forced", "NEW": "explicit"])
    }

    @Test("an explicit empty value is kept")
    func empty() {
        #expect(BuiltEnvironment.build(parent: ["PATH": "x"], explicit: ["PATH": ""]) == ["PATH": ""])
    }
}
