// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CProcessShim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc has wrappers from 2.36 only, and <sys/pidfd.h> cannot be included beside <signal.h> everywhere.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
// P_PIDFD of waitid(2), absent from headers before glibc 2.36.
#define CPS_P_PIDFD ((idtype_t)3)

static char **make_vector(const char *strings, size_t count) {
    char **vector = calloc(count + 1, sizeof(char *));
    if (vector == NULL) return NULL;
    for (size_t index = 0; index < count; index++) {
        vector[index] = (char *)strings;
        strings += strlen(strings) + 1;
    }
    return vector;
}

static int set_up_attributes(posix_spawnattr_t *attributes, enum cps_group group) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (group == CPS_GROUP_OWN) flags |= POSIX_SPAWN_SETPGROUP;
    if (group == CPS_GROUP_SESSION) flags |= POSIX_SPAWN_SETSID;
    int error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0) error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

static int set_up_actions(posix_spawn_file_actions_t *actions, const struct cps_spawn *request) {
    int error = 0;
    if (request->input >= 0) error = posix_spawn_file_actions_adddup2(actions, request->input, 0);
    if (error == 0 && request->output >= 0) error = posix_spawn_file_actions_adddup2(actions, request->output, 1);
    if (error == 0 && request->error >= 0) error = posix_spawn_file_actions_adddup2(actions, request->error, 2);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (error == 0 && request->directory != NULL)
        error = posix_spawn_file_actions_addchdir_np(actions, request->directory);
    return error;
}

int cps_spawn(const struct cps_spawn *request) {
    char **arguments = make_vector(request->arguments, request->argument_count);
    char **environment = make_vector(request->environment, request->environment_count);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = arguments == NULL || environment == NULL ? ENOMEM : 0;
    pid_t pid = -1;
    if (error == 0 && (error = posix_spawnattr_init(&attributes)) == 0) {
        if ((error = posix_spawn_file_actions_init(&actions)) == 0) {
            error = set_up_attributes(&attributes, request->group);
            if (error == 0) error = set_up_actions(&actions, request);
            if (error == 0) error = posix_spawn(&pid, request->path, &actions, &attributes, arguments, environment);
            posix_spawn_file_actions_destroy(&actions);
        }
        posix_spawnattr_destroy(&attributes);
    }
    free(arguments);
    free(environment);
    return error == 0 ? pid : -error;
}

// A descriptor below 3 would be overwritten while the child's standard streams are put in place.
static int lift_above_standard_streams(int ends[2]) {
    for (int index = 0; index < 2; index++) {
        if (ends[index] > 2) continue;
        int lifted = fcntl(ends[index], F_DUPFD_CLOEXEC, 3);
        if (lifted < 0) {
            int error = errno;
            close(ends[0]);
            close(ends[1]);
            return -error;
        }
        close(ends[index]);
        ends[index] = lifted;
    }
    return 0;
}

int cps_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : lift_above_standard_streams(ends);
}

int cps_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : lift_above_standard_streams(ends);
}

int cps_duplicate(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

int cps_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int cps_readable_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -errno : count;
}

int cps_send(int socket, const void *bytes, size_t count) {
    ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : (int)sent;
}

int cps_epoll_create(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll < 0 ? -errno : epoll;
}

static int epoll_change(int epoll, int operation, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int cps_epoll_add(int epoll, int descriptor, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_ADD, descriptor, token);
}

int cps_epoll_arm(int epoll, int descriptor, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_MOD, descriptor, token);
}

int cps_epoll_remove(int epoll, int descriptor) { return epoll_change(epoll, EPOLL_CTL_DEL, descriptor, 0); }

int cps_epoll_wait(int epoll, uint64_t *tokens, int capacity) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, capacity < 64 ? capacity : 64, -1);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
    return count;
}

int cps_pidfd_open(pid_t pid) {
    long descriptor = syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int cps_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int cps_peek_exit(int pidfd, int block, int stops, struct cps_change *change) {
    siginfo_t info;
    int options = WEXITED | WNOWAIT | (block ? 0 : WNOHANG) | (stops ? WSTOPPED : 0);
    memset(change, 0, sizeof *change);
    for (;;) {
        memset(&info, 0, sizeof info);
        if (waitid(CPS_P_PIDFD, (id_t)pidfd, &info, options) == 0) break;
        if (errno != EINTR) return -errno;
    }
    if (info.si_pid == 0) return 0;
    change->status = info.si_status;
    change->exited = info.si_code == CLD_EXITED;
    change->signaled = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    change->stopped = info.si_code == CLD_STOPPED;
    return 1;
}

static int collect(int pidfd, int options) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    return waitid(CPS_P_PIDFD, (id_t)pidfd, &info, options | WNOHANG) < 0 ? -errno : info.si_pid != 0;
}

int cps_collect_exit(int pidfd) { return collect(pidfd, WEXITED); }
int cps_collect_stop(int pidfd) { return collect(pidfd, WSTOPPED); }

int cps_restore_sigchld(void) {
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) < 0) return -errno;
    int without_zombies = (action.sa_flags & SA_NOCLDWAIT) != 0;
    if (!without_zombies && ((action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_IGN)) return 0;
    action.sa_flags &= ~SA_NOCLDWAIT;
    if (!(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_IGN) action.sa_handler = SIG_DFL;
    return sigaction(SIGCHLD, &action, NULL) < 0 ? -errno : 0;
}

int cps_list_processes(pid_t *pids, int capacity) {
    DIR *directory = opendir("/proc");
    if (directory == NULL) return -errno;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char *end;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        long pid = strtol(entry->d_name, &end, 10);
        if (*end != '\0') continue;
        if (count < capacity) pids[count] = (pid_t)pid;
        count++;
    }
    closedir(directory);
    return count;
}

int cps_read_process_file(pid_t pid, const char *name, void *bytes, size_t capacity) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    size_t count = 0;
    int error = 0;
    while (count < capacity) {
        ssize_t got = read(descriptor, (char *)bytes + count, capacity - count);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) error = errno;
        if (got <= 0) break;
        count += (size_t)got;
    }
    close(descriptor);
    return error != 0 ? -error : (int)count;
}

static int compare_inodes(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int cps_held_pipes(pid_t pid, const uint64_t *inodes, size_t count, uint8_t *held) {
    static const char prefix[] = "pipe:[";
    char path[64], target[64];
    memset(held, 0, count);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL) return -errno;
    int found = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = '\0';
        if (strncmp(target, prefix, sizeof prefix - 1) != 0) continue;
        uint64_t inode = strtoull(target + sizeof prefix - 1, NULL, 10);
        const uint64_t *match = bsearch(&inode, inodes, count, sizeof inode, compare_inodes);
        if (match == NULL || held[match - inodes]) continue;
        held[match - inodes] = 1;
        found++;
    }
    closedir(directory);
    return found;
}

int cps_find_variable(const void *block, size_t count, const char *name_and_equals) {
    const char *start = block, *end = start + count;
    size_t length = strlen(name_and_equals);
    const char *from = start;
    while (from < end) {
        const char *found = memmem(from, (size_t)(end - from), name_and_equals, length);
        if (found == NULL) break;
        if (found == start || found[-1] == '\0') return (int)(found + length - start);
        from = found + 1;
    }
    return -ENOENT;
}

int cps_become_guard(const char *name) {
    static const int kept[] = {SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    for (int number = 1; number < NSIG; number++) {
        int ignorable = 1;
        for (size_t index = 0; index < sizeof kept / sizeof kept[0]; index++)
            if (kept[index] == number) ignorable = 0;
        // Real-time signals of the C library itself refuse; that they do is no harm.
        if (ignorable) signal(number, SIG_IGN);
    }
    prctl(PR_SET_NAME, name, 0, 0, 0);
    if (chdir("/") < 0) return -errno;
    closefrom(3);
    return 0;
}
