// SPDX-License-Identifier: Apache-2.0
// The child of every benchmark: one MCP server on stdio, single-threaded, as little work a call as C allows, so that
// what is measured is the program in front of it.
//
// It answers initialize, ping, tools/list and tools/call (`echo`, `big`, `hang`, `crash`), in the order of its input;
// notifications and responses get no answer. Ids of any JSON form come back byte for byte. Lines may arrive pipelined
// or in pieces. It is not a general JSON parser: it needs valid JSON and does not decode keys written with escapes.
//
// Answers are collected while input is at hand and written together, as a buffered server would.
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *at;
    size_t length;
} Slice;

typedef struct {
    char *bytes;
    size_t length, capacity;
} Buffer;

static Buffer output;

static void reserve(Buffer *buffer, size_t more) {
    if (buffer->capacity - buffer->length >= more) return;
    size_t capacity = buffer->capacity ? buffer->capacity : 1 << 16;
    while (capacity - buffer->length < more) capacity *= 2;
    buffer->bytes = realloc(buffer->bytes, capacity);
    if (buffer->bytes == NULL) {
        perror("echo: realloc");
        exit(1);
    }
    buffer->capacity = capacity;
}

static void put(const char *bytes, size_t length) {
    reserve(&output, length);
    memcpy(output.bytes + output.length, bytes, length);
    output.length += length;
}

static void put_text(const char *text) { put(text, strlen(text)); }
static void put_slice(Slice slice) { put(slice.at, slice.length); }

static void flush_output(void) {
    size_t done = 0;
    while (done < output.length) {
        ssize_t written = write(STDOUT_FILENO, output.bytes + done, output.length - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) exit(errno == EPIPE ? 0 : 1);
        done += (size_t)written;
    }
    output.length = 0;
}

static const char *skip_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
    return p;
}

// The end of the string whose opening quote is at p.
static const char *skip_string(const char *p, const char *end) {
    p++;
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (quote == NULL) return end;
        size_t backslashes = 0;
        for (const char *b = quote - 1; b >= p && *b == '\\'; b--) backslashes++;
        if (backslashes % 2 == 0) return quote + 1;
        p = quote + 1;
    }
    return end;
}

static const char *skip_value(const char *p, const char *end) {
    if (p >= end) return end;
    if (*p == '"') return skip_string(p, end);
    if (*p != '{' && *p != '[') {
        while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\t' && *p != '\r') p++;
        return p;
    }
    size_t depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '{' || *p == '[') depth++;
        if ((*p == '}' || *p == ']') && --depth == 0) return p + 1;
        p++;
    }
    return end;
}

// The value of one member of the object at `object`; length 0 when it is not there.
static Slice member(Slice object, const char *name) {
    const Slice none = {NULL, 0};
    const char *end = object.at + object.length;
    const char *p = skip_space(object.at, end);
    size_t wanted = strlen(name);
    if (p >= end || *p != '{') return none;
    p++;
    for (;;) {
        p = skip_space(p, end);
        if (p >= end || *p != '"') return none;
        const char *key = p + 1;
        p = skip_string(p, end);
        size_t length = (size_t)(p - 1 - key);
        p = skip_space(p, end);
        if (p >= end || *p != ':') return none;
        p = skip_space(p + 1, end);
        const char *value = p;
        p = skip_value(p, end);
        if (length == wanted && memcmp(key, name, wanted) == 0) return (Slice){value, (size_t)(p - value)};
        p = skip_space(p, end);
        if (p >= end || *p != ',') return none;
        p++;
    }
}

static bool is_text(Slice slice, const char *text) {
    size_t length = strlen(text);
    return slice.length == length + 2 && slice.at[0] == '"' && memcmp(slice.at + 1, text, length) == 0;
}

static void begin_answer(Slice id) {
    put_text("{\"jsonrpc\":\"2.0\",\"id\":");
    put_slice(id);
}

static void put_error(Slice id, const char *code, const char *message) {
    begin_answer(id);
    put_text(",\"error\":{\"code\":");
    put_text(code);
    put_text(",\"message\":\"");
    put_text(message);
    put_text("\"}}\n");
}

static const char tools[] =
    ",\"result\":{\"tools\":["
    "{\"name\":\"echo\",\"description\":\"Answers with its text.\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}},"
    "{\"name\":\"big\",\"description\":\"Answers with that many bytes of text.\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"bytes\":{\"type\":\"integer\"}},\"required\":[\"bytes\"]}},"
    "{\"name\":\"hang\",\"description\":\"Never answers.\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"crash\",\"description\":\"Ends the process with status 3.\",\"inputSchema\":{\"type\":\"object\"}}"
    "]}}\n";

static void call_tool(Slice id, Slice params) {
    Slice name = member(params, "name");
    Slice arguments = member(params, "arguments");
    if (is_text(name, "echo")) {
        Slice text = member(arguments, "text");
        begin_answer(id);
        put_text(",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
        if (text.length > 0 && text.at[0] == '"') put_slice(text);
        else put_text("\"\"");
        put_text("}],\"isError\":false}}\n");
    } else if (is_text(name, "big")) {
        Slice bytes = member(arguments, "bytes");
        size_t count = bytes.length > 0 ? strtoull(bytes.at, NULL, 10) : 0;
        if (count > (size_t)1 << 30) count = (size_t)1 << 30;
        begin_answer(id);
        put_text(",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"");
        reserve(&output, count);
        memset(output.bytes + output.length, 'x', count);
        output.length += count;
        put_text("\"}],\"isError\":false}}\n");
    } else if (is_text(name, "crash")) {
        flush_output();
        _exit(3);
    } else if (!is_text(name, "hang")) {
        put_error(id, "-32602", "unknown tool");
    }
}

static void handle_line(const char *line, size_t length) {
    Slice message = {line, length};
    Slice id = member(message, "id");
    Slice method = member(message, "method");
    if (id.length == 0 || method.length == 0) return;
    Slice params = member(message, "params");
    if (is_text(method, "tools/call")) {
        call_tool(id, params);
    } else if (is_text(method, "initialize")) {
        Slice version = member(params, "protocolVersion");
        begin_answer(id);
        put_text(",\"result\":{\"protocolVersion\":");
        if (version.length > 0) put_slice(version);
        else put_text("\"2025-06-18\"");
        put_text(",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"echo\",\"version\":\"1\"}}}\n");
    } else if (is_text(method, "tools/list")) {
        begin_answer(id);
        put_text(tools);
    } else if (is_text(method, "ping")) {
        begin_answer(id);
        put_text(",\"result\":{}}\n");
    } else {
        put_error(id, "-32601", "method not found");
    }
}

int main(void) {
    Buffer input = {NULL, 0, 0};
    size_t scanned = 0;
    for (;;) {
        reserve(&input, 1 << 16);
        ssize_t count = read(STDIN_FILENO, input.bytes + input.length, input.capacity - input.length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count == 0 ? 0 : 1;
        input.length += (size_t)count;
        size_t start = 0;
        char *newline;
        while ((newline = memchr(input.bytes + scanned, '\n', input.length - scanned)) != NULL) {
            size_t end = (size_t)(newline - input.bytes);
            handle_line(input.bytes + start, end - start);
            start = scanned = end + 1;
        }
        flush_output();
        if (start > 0) memmove(input.bytes, input.bytes + start, input.length - start);
        input.length -= start;
        scanned = input.length;
    }
}
