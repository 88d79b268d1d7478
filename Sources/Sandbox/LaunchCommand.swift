// SPDX-License-Identifier: Apache-2.0

/// The program to start in place of the agent's, which ends in the agent.
///
/// Start it in a process group of its own (on a terminal, the foreground one), with the agent's environment and working
/// directory and nothing open but its three streams. Send signals to the *group*: the processes between Lodge and the
/// agent ignore HUP, INT, QUIT, USR1, USR2 and TERM, the agent does not. Its exit status is the agent's, 128 + signal
/// for an agent that a signal ended. KILL for the process that was started ends everything inside.
package struct LaunchCommand: Hashable, Sendable {
    /// Absolute, or a name to be looked up in the agent's `PATH` if there is no sandbox.
    package var executable: String
    /// Without the program's name.
    package var arguments: [String]
    /// How many processes start one another before the agent: none without a sandbox.
    package var wrappers = 0

    package init(executable: String, arguments: [String]) {
        self.executable = executable
        self.arguments = arguments
    }
}

/// The texts that shells of the sandbox run; paths and words reach them as arguments only.
enum LaunchScript {
    /// The signals that pass through to the agent.
    static let signals = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM"]

    /// Stands between Lodge and the sandbox, for two reasons: bubblewrap dies with the *thread* that started it, and a
    /// shell has one only; and the sandbox must outlive a signal that is meant for the agent.
    static let outer = """
        trap '' HUP INT QUIT USR1 USR2 TERM
        "$@"
        exit $?
        """

    /// Is process 1 inside `unshare`: an agent in its place would not die of any signal. Its own stderr is closed
    /// while it waits, or it would print the agent's end.
    static let initial = """
        exec 3>&2 2>/dev/null
        (exec 2>&3 3>&-; exec "$@")
        exit $?
        """

    /// Covers paths inside `unshare`: the `mount` program, the own directory or nothing, then pairs of a kind and a
    /// path, `--`, and what to go on with.
    static let covering = """
        mount=$1 own=$2
        shift 2
        if [ -n "$own" ]; then exec 9<"$own" || exit 125; fi
        while [ "$1" != -- ]; do
            case $1 in
                directory) "$mount" -t tmpfs -o mode=0700,nosuid,nodev tmpfs "$2" ;;
                file) "$mount" --bind /dev/null "$2" ;;
                own) mkdir -p -- "$2" && "$mount" --no-canonicalize --bind /proc/self/fd/9 "$2" ;;
                device) "$mount" --bind "$2" "$2" ;;
                nodev) "$mount" -o remount,bind,nodev "$2" ;;
                readonly) "$mount" --bind "$2" "$2" && "$mount" -o remount,bind,ro "$2" ;;
                readonly-tree)
                    while read -r _ _ _ _ point _; do
                        case $point in "$2"|"$2"/*) "$mount" -o remount,bind,ro "$point" || exit 125 ;; esac
                    done < /proc/self/mountinfo ;;
                *) false ;;
            esac || exit 125
            shift 2
        done
        shift
        exec 9<&-
        exec "$@"
        """
}
