// SPDX-License-Identifier: Apache-2.0
//
// The system calls of ChildProcesses whose names the Glibc module hides from Swift because they are GNU extensions.
// Nothing here keeps state, and nothing here decides anything.
// Functions that return `int` answer 0 or a non-negative result, or a negated errno.
#ifndef C_PROCESS_SHIM_H
#define C_PROCESS_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What the child does about its process group and session.
enum cps_group { CPS_GROUP_INHERIT = 0, CPS_GROUP_OWN = 1, CPS_GROUP_SESSION = 2 };

/// One program to start. All strings are NUL-terminated; `arguments` and `environment` are `count` of them in a row.
struct cps_spawn {
    const char *path;
    const char *arguments;
    size_t argument_count;
    const char *environment;
    size_t environment_count;
    /// NULL keeps the parent's directory.
    const char *directory;
    /// Descriptors that become 0, 1 and 2; -1 leaves the parent's own. Others must be 3 or higher.
    int input, output, error;
    enum cps_group group;
};

/// Starts a program with no descriptor beyond 2, default signal handling and an empty signal mask; answers its pid.
int cps_spawn(const struct cps_spawn *request);

/// Makes a pipe whose both ends are close-on-exec and 3 or higher.
int cps_pipe(int ends[2]);
/// Makes a stream socket pair whose both ends are close-on-exec and 3 or higher.
int cps_socket_pair(int ends[2]);
/// Duplicates a descriptor, close-on-exec.
int cps_duplicate(int descriptor);
int cps_set_nonblocking(int descriptor);
/// Bytes that can be read from a pipe right now.
int cps_readable_bytes(int descriptor);
/// Sends without raising SIGPIPE and without waiting.
int cps_send(int socket, const void *bytes, size_t count);

/// Makes an epoll instance, close-on-exec.
int cps_epoll_create(void);
/// Watches a descriptor until it is readable once, then until it is armed again.
int cps_epoll_add(int epoll, int descriptor, uint64_t token);
int cps_epoll_arm(int epoll, int descriptor, uint64_t token);
int cps_epoll_remove(int epoll, int descriptor);
/// Waits without a limit; fills `tokens` and answers how many.
int cps_epoll_wait(int epoll, uint64_t *tokens, int capacity);

/// Opens a pidfd, close-on-exec.
int cps_pidfd_open(pid_t pid);
int cps_pidfd_signal(int pidfd, int signal);

/// How a child changed, as waitid(2) tells it.
struct cps_change {
    int exited, signaled, stopped;
    /// The exit status, or the signal that ended or stopped it.
    int status;
};
/// Waits on one pidfd; 1 when there is a change, 0 when there is none and `block` is 0. It stays to be collected.
int cps_peek_exit(int pidfd, int block, int stops, struct cps_change *change);
/// Collects an exit (the zombie goes away), without waiting.
int cps_collect_exit(int pidfd);
/// Collects a stop, without waiting.
int cps_collect_stop(int pidfd);
/// Undoes an inherited "ignore SIGCHLD", under which no exit status can be collected.
int cps_restore_sigchld(void);

/// Fills `pids` with the processes that /proc lists; answers how many there are, which may be more than `capacity`.
int cps_list_processes(pid_t *pids, int capacity);
/// Reads the start of /proc/<pid>/<name>; answers the number of bytes.
int cps_read_process_file(pid_t pid, const char *name, void *bytes, size_t capacity);
/// Looks which of the pipes with these inodes, sorted, a process holds: sets `held` of each to 0 or 1; answers how many.
int cps_held_pipes(pid_t pid, const uint64_t *inodes, size_t count, uint8_t *held);
/// Finds the value of a variable in an environment block as /proc shows it; answers its offset or -ENOENT.
int cps_find_variable(const void *block, size_t count, const char *name_and_equals);

/// Leaves the guard's process with standard streams only, deaf to every signal that can be ignored.
int cps_become_guard(const char *name);

#endif
