/* Loaded before everything else (LD_PRELOAD), this lets the FAULT_AT-th write below the folder
   FAULT_UNDER fail, and all after it, as on a full disk. Each write adds a byte to FAULT_LOG. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int count;

static int full(const char *path)
{
    const char *at = getenv("FAULT_AT"), *under = getenv("FAULT_UNDER"), *log = getenv("FAULT_LOG");
    if (!at || !under || !path || strncmp(path, under, strlen(under)))
        return 0;
    int number = __sync_add_and_fetch(&count, 1);
    int fd = log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
    if (fd >= 0) {
        syscall(SYS_write, fd, ".", 1);
        syscall(SYS_close, fd);
    }
    if (atoi(at) < 1 || number < atoi(at))
        return 0;
    errno = ENOSPC;
    return 1;
}

static int full_fd(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return full(path);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define MODE                                                                                       \
    va_list more;                                                                                  \
    va_start(more, flags);                                                                         \
    mode_t mode = va_arg(more, mode_t);                                                            \
    va_end(more);                                                                                  \
    if ((flags & O_CREAT) && full(path))                                                           \
        return -1;

int open(const char *path, int flags, ...) { MODE return REAL(open)(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return REAL(open64)(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return REAL(openat)(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return REAL(openat64)(at, path, flags, mode); }

ssize_t write(int fd, const void *data, size_t size) { return full_fd(fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t writev(int fd, const struct iovec *parts, int n) { return full_fd(fd) ? -1 : REAL(writev)(fd, parts, n); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return full_fd(fd) ? -1 : REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return full_fd(fd) ? -1 : REAL(pwrite64)(fd, data, size, at); }
int fsync(int fd) { return full_fd(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return full_fd(fd) ? -1 : REAL(fdatasync)(fd); }
int rename(const char *from, const char *to) { return full(to) ? -1 : REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) { return full(to) ? -1 : REAL(renameat)(a, from, b, to); }
int mkdir(const char *path, mode_t mode) { return full(path) ? -1 : REAL(mkdir)(path, mode); }
