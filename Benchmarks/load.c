// SPDX-License-Identifier: Apache-2.0
// The caller of every benchmark: closed-loop tools/call over HTTP connections or straight over a child's pipes, through
// the same epoll loop, so that the caller's own cost is the same whatever it measures.
//
//   load --port N --path P [--headers FILE] [options]     HTTP to 127.0.0.1
//   load --port N --sse P [--headers FILE] [options]      the transport of 2024-11-05: a stream and a POST connection each
//   load [options] -- CHILD ARG…                          the child's bare pipe, the baseline
//
//   --connections N   each with one call in flight (1; a pipe has one)
//   --seconds S       measured time (2), after --warmup S (0) that is not counted
//   --calls N         stop after N counted calls, if that comes first
//   --tool echo|big   big answers with --bytes N; --name N is what the tool is called there
//   --meta JSON       the `_meta` of each call, as a client of 2026-07-28 sends it
//
// FILE holds the extra headers of each connection, one block a connection, blocks parted by an empty line; connections
// beyond the last block start again at the first. Every call has an id of its own and, with echo, a text made of it; an
// answer counts only with status 200, that id and that text (big: that id and at least that many bytes). One line of
// JSON on stdout tells the rest. Ends with 1 when an answer was wrong, a call failed, or nothing came for 30 s.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { stall_milliseconds = 30000, most_connections = 1024 };

typedef struct {
    int input, output;
    char *headers;
    char endpoint[256];  // where a stream told to post to
    char *bytes;
    size_t length, capacity;
    size_t body, scanned;  // where the body starts (0: head not read yet); how far the framing was followed
    size_t remaining;      // of a body with a known length: what is missing yet
    bool chunked;
    int status;
    uint64_t id, sent_at;
} Connection;

static struct {
    int port, connections;
    const char *path, *sse, *headers, *tool, *name, *meta;
    double seconds, warmup;
    uint64_t calls, bytes;
} options = {0, 1, "/mcp", NULL, NULL, "echo", NULL, NULL, 2, 0, UINT64_MAX, 0};

static struct {
    uint64_t all, counted, wrong, failed, bytes;
    uint64_t *latencies;
    size_t capacity;
    char first_wrong[301];
} tally;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_all(int descriptor, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(descriptor, bytes, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("write");
        bytes += count;
        length -= (size_t)count;
    }
}

static void post(Connection *connection, const char *body, int length) {
    char request[4096];
    if (options.port == 0) {
        length = snprintf(request, sizeof request, "%s\n", body);
    } else {
        length = snprintf(request, sizeof request,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                          "Accept: application/json, text/event-stream\r\n%sContent-Length: %d\r\n\r\n%s",
                          connection->endpoint, options.port, connection->headers, length, body);
    }
    if (length < 0 || (size_t)length >= sizeof request) {
        fprintf(stderr, "load: the headers of a connection are too long\n");
        exit(2);
    }
    write_all(connection->output, request, (size_t)length);
}

static void send_call(Connection *connection) {
    char body[1024], meta[512] = "";
    unsigned long long id = ++connection->id;
    const char *name = options.name != NULL ? options.name : options.tool;
    int length;
    if (options.meta != NULL) snprintf(meta, sizeof meta, ",\"_meta\":%s", options.meta);
    if (strcmp(options.tool, "big") == 0) {
        length = snprintf(body, sizeof body,
                          "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
                          "\"arguments\":{\"bytes\":%llu}%s}}",
                          id, name, (unsigned long long)options.bytes, meta);
    } else {
        length = snprintf(body, sizeof body,
                          "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
                          "\"arguments\":{\"text\":\"t-%llu\"}%s}}",
                          id, name, id, meta);
    }
    connection->length = connection->body = connection->scanned = connection->remaining = 0;
    connection->chunked = false;
    connection->status = 200;
    connection->sent_at = now();
    post(connection, body, length);
}

static void read_head(Connection *connection) {
    char *end = memmem(connection->bytes, connection->length, "\r\n\r\n", 4);
    if (end == NULL) return;
    connection->body = connection->scanned = (size_t)(end - connection->bytes) + 4;
    connection->status = connection->length > 12 ? atoi(connection->bytes + 9) : 0;
    for (char *line = connection->bytes; line < end;) {
        char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        if (strncasecmp(line, "content-length:", 15) == 0) connection->remaining = strtoull(line + 15, NULL, 10);
        if (strncasecmp(line, "transfer-encoding:", 18) == 0) connection->chunked = true;
        line = next + 2;
    }
}

// Whether the answer is whole.
static bool is_complete(Connection *connection) {
    if (options.port == 0) {
        char *newline = memchr(connection->bytes + connection->scanned, '\n', connection->length - connection->scanned);
        connection->scanned = connection->length;
        return newline != NULL;
    }
    if (options.sse != NULL) {
        // The first of several events would be enough here: nothing but the answer is sent for such a call.
        char *data = memmem(connection->bytes, connection->length, "data: ", 6);
        return data != NULL && memmem(data, connection->length - (size_t)(data - connection->bytes), "\n\n", 2) != NULL;
    }
    if (connection->body == 0) read_head(connection);
    if (connection->body == 0) return false;
    if (!connection->chunked) return connection->length - connection->body >= connection->remaining;
    for (;;) {
        if (connection->remaining > 0) {
            if (connection->length - connection->scanned < connection->remaining) return false;
            connection->scanned += connection->remaining;
            connection->remaining = 0;
        }
        char *at = connection->bytes + connection->scanned;
        char *end = memmem(at, connection->length - connection->scanned, "\r\n", 2);
        if (end == NULL) return false;
        size_t size = strtoull(at, NULL, 16);
        if (size == 0) return memmem(at, connection->length - connection->scanned, "\r\n\r\n", 4) != NULL;
        connection->scanned = (size_t)(end - connection->bytes) + 2;
        connection->remaining = size + 2;
    }
}

static bool has_id(const char *bytes, size_t length, uint64_t id) {
    char wanted[32];
    int size = snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)id);
    const char *end = bytes + length;
    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), "\"id\":", 5)) != NULL;) {
        at += 5;
        while (at < end && *at == ' ') at++;
        if (end - at > size && memcmp(at, wanted, (size_t)size) == 0 && (at[size] < '0' || at[size] > '9')) return true;
    }
    return false;
}

static bool is_right(Connection *connection) {
    if (connection->status != 200) return false;
    const char *body = connection->bytes + connection->body;
    size_t length = connection->length - connection->body;
    if (strcmp(options.tool, "big") == 0) {
        // The id stands before or behind the long text, so the text itself need not be searched.
        size_t edge = length < 4096 ? length : 4096;
        return length > options.bytes
            && (has_id(body, edge, connection->id) || has_id(body + length - edge, edge, connection->id));
    }
    char text[48];
    int size = snprintf(text, sizeof text, "\"t-%llu\"", (unsigned long long)connection->id);
    return has_id(body, length, connection->id) && memmem(body, length, text, (size_t)size) != NULL;
}

static void record(Connection *connection, uint64_t at, uint64_t from, uint64_t until) {
    tally.all++;
    if (!is_right(connection)) {
        if (tally.wrong++ == 0) {
            size_t length = connection->length < 300 ? connection->length : 300;
            memcpy(tally.first_wrong, connection->bytes, length);
        }
        return;
    }
    if (at < from || at >= until) return;
    if (tally.counted == tally.capacity) {
        tally.capacity = tally.capacity ? tally.capacity * 2 : 1 << 16;
        tally.latencies = realloc(tally.latencies, tally.capacity * sizeof(uint64_t));
        if (tally.latencies == NULL) fail("realloc");
    }
    tally.latencies[tally.counted++] = at - connection->sent_at;
    tally.bytes += connection->length - connection->body;
}

// Reads what is there. False when the other side is gone.
static bool receive(Connection *connection) {
    if (connection->capacity - connection->length < 1 << 16) {
        connection->capacity = connection->capacity ? connection->capacity * 2 : 1 << 17;
        connection->bytes = realloc(connection->bytes, connection->capacity);
        if (connection->bytes == NULL) fail("realloc");
    }
    ssize_t count;
    do {
        count = read(connection->input, connection->bytes + connection->length,
                     connection->capacity - connection->length);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return false;
    connection->length += (size_t)count;
    return true;
}

static int open_socket(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

// Reads what the POST connection of a stream is answered with: 202 and nothing else.
static bool drain_post(Connection *connection) {
    char bytes[1 << 14];
    ssize_t count;
    do {
        count = read(connection->output, bytes, sizeof bytes);
    } while (count < 0 && errno == EINTR);
    for (char *at = bytes; count > 0 && (at = memmem(at, (size_t)(bytes + count - at), "HTTP/1.1 ", 9)) != NULL;) {
        at += 9;
        if (bytes + count - at >= 3 && memcmp(at, "202", 3) != 0) connection->status = atoi(at);
    }
    return count > 0;
}

// Opens a stream, does the handshake over it, and leaves a connection whose answers come on the stream.
static void open_stream(Connection *connection) {
    static const char initialize[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"initialize\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2024-11-05\",\"capabilities\":{},\"clientInfo\":{\"name\":\"lodge-benchmarks\",\"version\":\"1\"}}}";
    static const char initialized[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
    char request[4096];
    connection->input = open_socket();
    connection->output = open_socket();
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n%s\r\n",
                          options.sse, options.port, connection->headers);
    if (length < 0 || (size_t)length >= sizeof request) fail("headers");
    write_all(connection->input, request, (size_t)length);
    while (!is_complete(connection)) {
        if (!receive(connection)) fail("no endpoint came");
    }
    char *data = memmem(connection->bytes, connection->length, "data: ", 6);
    if (sscanf(data, "data: %255s", connection->endpoint) != 1) fail("no endpoint came");
    connection->length = 0;
    connection->status = 200;
    post(connection, initialize, sizeof initialize - 1);
    while (!is_complete(connection)) {
        if (!receive(connection)) fail("initialize was not answered");
    }
    connection->length = 0;
    if (!drain_post(connection)) fail("initialize was not taken");
    post(connection, initialized, sizeof initialized - 1);
    if (!drain_post(connection) || connection->status != 200) fail("the handshake was refused");
}

static void open_connections(Connection *connections) {
    char *text = NULL;
    if (options.headers != NULL) {
        FILE *file = fopen(options.headers, "r");
        if (file == NULL) fail(options.headers);
        size_t size = 0;
        if (getdelim(&text, &size, '\0', file) < 0) fail(options.headers);
        fclose(file);
    }
    char *block = text;
    for (int index = 0; index < options.connections; index++) {
        Connection *connection = &connections[index];
        connection->headers = calloc(1, 3072);
        if (connection->headers == NULL) fail("calloc");
        if (text != NULL) {
            if (block == NULL || *block == '\0') block = text;
            char *end = strstr(block, "\n\n");
            char *rest = end != NULL ? end + 2 : NULL;
            size_t length = end != NULL ? (size_t)(end - block) : strlen(block), used = 0;
            for (size_t at = 0; at <= length && used < 3000; at++) {
                if (at < length && block[at] != '\n') {
                    connection->headers[used++] = block[at];
                } else if (used > 0 && connection->headers[used - 1] != '\n') {
                    connection->headers[used++] = '\r';
                    connection->headers[used++] = '\n';
                }
            }
            block = rest;
        }
        snprintf(connection->endpoint, sizeof connection->endpoint, "%s", options.path);
        if (options.sse != NULL) open_stream(connection);
        else connection->input = connection->output = open_socket();
    }
    free(text);
}

static pid_t start_child(Connection *connection, char **command) {
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) fail("pipe2");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        execv(command[0], command);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    connection->output = input[1];
    connection->input = output[0];
    return child;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static double percentile(double share) {
    if (tally.counted == 0) return 0;
    return (double)tally.latencies[(size_t)(share * (double)(tally.counted - 1))] / 1000;
}

static void print_result(double seconds) {
    qsort(tally.latencies, tally.counted, sizeof(uint64_t), ascending);
    double total = 0;
    for (size_t index = 0; index < tally.counted; index++) total += (double)tally.latencies[index] / 1000;
    printf("{\"calls\":%llu,\"all_calls\":%llu,\"seconds\":%.6f,\"rate\":%.1f,\"bytes\":%llu,\"wrong\":%llu,"
           "\"failed\":%llu,",
           (unsigned long long)tally.counted, (unsigned long long)tally.all, seconds, (double)tally.counted / seconds,
           (unsigned long long)tally.bytes,
           (unsigned long long)tally.wrong, (unsigned long long)tally.failed);
    printf("\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f,\"mean_us\":%.2f,\"first_wrong\":\"",
           percentile(0.5), percentile(0.9), percentile(0.99), percentile(1),
           tally.counted ? total / (double)tally.counted : 0);
    for (const char *at = tally.first_wrong; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\' || byte < 0x20 || byte > 0x7e) printf("\\u%04x", byte);
        else putchar(byte);
    }
    printf("\"}\n");
}

static void parse(int argc, char **argv) {
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},     {"path", required_argument, NULL, 'P'},
        {"headers", required_argument, NULL, 'h'},  {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},  {"warmup", required_argument, NULL, 'w'},
        {"calls", required_argument, NULL, 'n'},    {"tool", required_argument, NULL, 't'},
        {"bytes", required_argument, NULL, 'b'},    {"sse", required_argument, NULL, 'S'},
        {"name", required_argument, NULL, 'N'},     {"meta", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'P': options.path = optarg; break;
        case 'h': options.headers = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'w': options.warmup = atof(optarg); break;
        case 'n': options.calls = strtoull(optarg, NULL, 10); break;
        case 't': options.tool = optarg; break;
        case 'b': options.bytes = strtoull(optarg, NULL, 10); break;
        case 'S': options.sse = optarg; break;
        case 'N': options.name = optarg; break;
        case 'm': options.meta = optarg; break;
        default: exit(2);
        }
    }
    bool pipe = optind < argc;
    if (options.meta != NULL && strlen(options.meta) > 480) {
        fprintf(stderr, "load: --meta is too long\n");
        exit(2);
    }
    if (pipe == (options.port != 0) || options.connections < 1 || options.connections > most_connections
        || (pipe && options.connections != 1)) {
        fprintf(stderr, "load: give --port N, or a child after --; a pipe has one connection\n");
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    Connection *connections = calloc((size_t)options.connections, sizeof(Connection));
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0) fail("start");
    pid_t child = 0;
    if (options.port != 0) open_connections(connections);
    else child = start_child(&connections[0], argv + optind);
    uint64_t start = now();
    uint64_t from = start + (uint64_t)(options.warmup * 1e9), until = from + (uint64_t)(options.seconds * 1e9);
    for (int index = 0; index < options.connections; index++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[index]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, connections[index].input, &event) < 0) fail("epoll_ctl");
        if (options.sse != NULL) {
            // The lowest bit tells the POST side of a connection from its stream.
            event.data.ptr = (char *)&connections[index] + 1;
            if (epoll_ctl(poller, EPOLL_CTL_ADD, connections[index].output, &event) < 0) fail("epoll_ctl");
        }
        connections[index].id = (uint64_t)(index + 1) * 1000000000u;
        send_call(&connections[index]);
    }
    int open = options.connections;
    uint64_t last = start;
    while (open > 0) {
        struct epoll_event events[64];
        int count = epoll_wait(poller, events, 64, stall_milliseconds);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            tally.failed += (uint64_t)open;
            break;
        }
        for (int index = 0; index < count; index++) {
            if (((uintptr_t)events[index].data.ptr & 1) != 0) {
                Connection *posting = (Connection *)((char *)events[index].data.ptr - 1);
                if (!drain_post(posting)) epoll_ctl(poller, EPOLL_CTL_DEL, posting->output, NULL);
                continue;
            }
            Connection *connection = events[index].data.ptr;
            bool alive = receive(connection);
            if (alive && !is_complete(connection)) continue;
            uint64_t at = now();
            if (alive) record(connection, at, from, until);
            else tally.failed++;
            if (at < until && at >= from) last = at;
            if (alive && at < until && tally.counted < options.calls) {
                send_call(connection);
            } else {
                epoll_ctl(poller, EPOLL_CTL_DEL, connection->input, NULL);
                open--;
            }
        }
    }
    // A run ended by its number of calls lasted until its last answer, any other for the time it was given.
    uint64_t end = tally.counted >= options.calls || tally.failed > 0 ? last : until;
    print_result(end > from ? (double)(end - from) / 1e9 : 1e-9);
    if (child > 0) {
        close(connections[0].output);
        waitpid(child, NULL, 0);
    }
    return tally.wrong + tally.failed > 0 || tally.counted == 0;
}
