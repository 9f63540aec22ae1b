/* Preloaded into a process that writes a run directory: counts the calls that change its files, and at the k-th kills
 * the process with SIGKILL (before the call, or half-way through it), or answers from the k-th on "no space left".
 * Used by crates/io/tests/kill.rs and by scripts/kill-test. Environment:
 *   AMELO_SHIM_ROOT    directory whose files count (absolute)
 *   AMELO_SHIM_AT      k, from 1; without it calls are only counted
 *   AMELO_SHIM_MODE    k: kill before the call, h: kill half-way through it, f: full disk from there on
 *   AMELO_SHIM_ONLY    count only calls whose "name path" contains this text, for example "rename /tmp/run/checkpoint"
 *   AMELO_SHIM_REPORT  file that tells the number of calls at the end, or the call that was killed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long count, at = -1;
static int mode;
static const char *root, *only, *told;
static char hit[1200];

__attribute__((constructor)) static void start(void) {
    const char *a = getenv("AMELO_SHIM_AT"), *m = getenv("AMELO_SHIM_MODE");
    if (a) at = atol(a);
    mode = m ? m[0] : 'k';
    root = getenv("AMELO_SHIM_ROOT");
    only = getenv("AMELO_SHIM_ONLY");
    told = getenv("AMELO_SHIM_REPORT");
}

static void tell(const char *text) {
    FILE *f = told ? fopen(told, "w") : NULL;
    if (f) { fputs(text, f); fclose(f); }
}

/* 0: go on, 1: kill now, 2: kill after half, 3: no space. Only files of the run: never pipes, terminals, the loader's. */
static int now(const char *call, const char *path) {
    char text[1100];
    if (!root || strncmp(path, root, strlen(root)) != 0) return 0;
    snprintf(text, sizeof text, "%s %s", call, path);
    if (only && !strstr(text, only)) return 0;
    long c = __sync_add_and_fetch(&count, 1);
    if (at < 0) return 0;
    if (mode == 'f') return c >= at ? 3 : 0;
    if (c != at) return 0;
    snprintf(hit, sizeof hit, "%s %s", mode == 'h' ? "half" : "before", text);
    return mode == 'h' ? 2 : 1;
}
static int now_at(const char *call, int fd) {
    char link[64], name[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n < 0) return 0;
    name[n] = 0;
    return now(call, name);
}

static void die(void) {
    int saved = at;
    at = -1; /* the report itself is no call of the run */
    tell(hit);
    at = saved;
    kill(getpid(), SIGKILL);
    for (;;) pause();
}
#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t put(int fd, const void *b, size_t n, off_t o) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    switch (now_at("pwrite", fd)) {
        case 1: die(); break;
        case 2: real(fd, b, n / 2, o); die(); break;
        case 3: errno = ENOSPC; return -1;
    }
    return real(fd, b, n, o);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return put(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off_t o) { return put(fd, b, n, o); }
ssize_t write(int fd, const void *b, size_t n) {
    REAL(ssize_t, "write", int, const void *, size_t);
    switch (now_at("write", fd)) {
        case 1: die(); break;
        case 2: real(fd, b, n / 2); die(); break;
        case 3: errno = ENOSPC; return -1;
    }
    return real(fd, b, n);
}
static int cut(int fd, off_t n) {
    REAL(int, "ftruncate", int, off_t);
    switch (now_at("ftruncate", fd)) { case 1: case 2: die(); break; }
    return real(fd, n);
}
int ftruncate(int fd, off_t n) { return cut(fd, n); }
int ftruncate64(int fd, off_t n) { return cut(fd, n); }
int fsync(int fd) {
    switch (now_at("fsync", fd)) { case 1: case 2: die(); break; }
    return 0; /* the page cache outlives the process; waiting for the disk would only slow the test */
}
int rename(const char *a, const char *b) {
    REAL(int, "rename", const char *, const char *);
    switch (now("rename", a)) { case 1: die(); break; case 2: real(a, b); die(); break; }
    return real(a, b);
}
int link(const char *a, const char *b) {
    REAL(int, "link", const char *, const char *);
    switch (now("link", a)) { case 1: die(); break; case 2: real(a, b); die(); break; }
    return real(a, b);
}
int linkat(int c, const char *a, int d, const char *b, int f) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    switch (now("link", a)) { case 1: die(); break; case 2: real(c, a, d, b, f); die(); break; }
    return real(c, a, d, b, f);
}
int unlink(const char *a) {
    REAL(int, "unlink", const char *);
    switch (now("unlink", a)) { case 1: die(); break; case 2: real(a); die(); break; }
    return real(a);
}

__attribute__((destructor)) static void report(void) {
    char text[32];
    snprintf(text, sizeof text, "%ld", count);
    tell(text);
}
