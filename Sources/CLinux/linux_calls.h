#pragma once
// Linux calls that Swift's Glibc module hides or cannot call (variadic, macro-defined), one wrapper each, no logic.
// Every wrapper returns what the call returns, or -errno: a system call's fault is a value here, not a global.
//
// _GNU_SOURCE is not defined: with it some of glibc's types would differ from those of Swift's own Glibc module, and no
// file could see both. What it would declare is declared here.
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <spawn.h>
#include <dirent.h>
#include <signal.h>
#include <termios.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

extern int renameat2(int, const char *, int, const char *, unsigned int);
extern int pipe2(int[2], int);
extern void *memmem(const void *, size_t, const void *, size_t);
enum { repo_rename_noreplace_flag = 1, repo_f_setpipe_sz = 1031, repo_whence_data = 3, repo_whence_hole = 4 };

// errno is a macro, which Swift does not see without Glibc's overlay.
static inline int repo_errno(void) { return errno; }
static inline void repo_clear_errno(void) { errno = 0; }
static inline long repo_result(long result) { return result < 0 ? -(long)errno : result; }

static inline int repo_openat(int directory, const char *path, int flags, mode_t mode) {
    return (int)repo_result(openat(directory, path, flags | O_CLOEXEC, mode));
}
static inline long repo_read(int fd, void *to, size_t count) { return repo_result(read(fd, to, count)); }
static inline long repo_pread(int fd, void *to, size_t count, off_t at) {
    return repo_result(pread(fd, to, count, at));
}
static inline long repo_write(int fd, const void *from, size_t count) {
    return repo_result(write(fd, from, count));
}
static inline long repo_pwrite(int fd, const void *from, size_t count, off_t at) {
    return repo_result(pwrite(fd, from, count, at));
}
static inline int repo_fsync(int fd) { return (int)repo_result(fsync(fd)); }
static inline int repo_close(int fd) { return (int)repo_result(close(fd)); }
static inline int repo_ftruncate(int fd, off_t length) { return (int)repo_result(ftruncate(fd, length)); }
static inline long repo_lseek(int fd, off_t at, int whence) { return repo_result(lseek(fd, at, whence)); }
static inline int repo_fstat(int fd, struct stat *to) { return (int)repo_result(fstat(fd, to)); }
static inline int repo_lstat(const char *path, struct stat *to) { return (int)repo_result(lstat(path, to)); }
static inline int repo_stat(const char *path, struct stat *to) { return (int)repo_result(stat(path, to)); }
static inline int repo_mkdir(const char *path, mode_t mode) { return (int)repo_result(mkdir(path, mode)); }
static inline int repo_rmdir(const char *path) { return (int)repo_result(rmdir(path)); }
static inline int repo_unlink(const char *path) { return (int)repo_result(unlink(path)); }
static inline int repo_link(const char *from, const char *to) { return (int)repo_result(link(from, to)); }
static inline int repo_symlink(const char *target, const char *at) { return (int)repo_result(symlink(target, at)); }
static inline long repo_readlink(const char *path, char *to, size_t size) {
    return repo_result(readlink(path, to, size));
}
static inline int repo_rename(const char *from, const char *to) { return (int)repo_result(rename(from, to)); }
static inline int repo_rename_noreplace(const char *from, const char *to) {
    return (int)repo_result(renameat2(AT_FDCWD, from, AT_FDCWD, to, repo_rename_noreplace_flag));
}
static inline int repo_mknod(const char *path, mode_t mode, dev_t device) {
    return (int)repo_result(mknod(path, mode, device));
}
static inline int repo_lchown(const char *path, uid_t user, gid_t group) {
    return (int)repo_result(lchown(path, user, group));
}
static inline int repo_chmod(const char *path, mode_t mode) { return (int)repo_result(chmod(path, mode)); }
static inline int repo_set_times(const char *path, int64_t seconds, int64_t nanoseconds) {
    struct timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    return (int)repo_result(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}
static inline long repo_llistxattr(const char *path, char *to, size_t size) {
    return repo_result(llistxattr(path, to, size));
}
static inline long repo_lgetxattr(const char *path, const char *name, void *to, size_t size) {
    return repo_result(lgetxattr(path, name, to, size));
}
static inline int repo_lsetxattr(const char *path, const char *name, const void *from, size_t size) {
    return (int)repo_result(lsetxattr(path, name, from, size, 0));
}
// NULL where it fails.
static inline void *repo_mmap_read(int fd, size_t length) {
    void *at = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}
static inline int repo_munmap(void *at, size_t length) { return (int)repo_result(munmap(at, length)); }
static inline int repo_madvise_random(void *at, size_t length) {
    return (int)repo_result(madvise(at, length, MADV_RANDOM));
}
static inline int repo_poll_two(int first, int second, int timeout_ms, int *ready) {
    struct pollfd fds[2] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
    int count = poll(fds, 2, timeout_ms);
    if (count < 0) return -errno;
    *ready = (fds[0].revents ? 1 : 0) | (fds[1].revents ? 2 : 0);
    return count;
}
static inline int repo_pipe(int ends[2]) { return (int)repo_result(pipe2(ends, O_CLOEXEC)); }
static inline int repo_set_pipe_size(int fd, int bytes) { return (int)repo_result(fcntl(fd, repo_f_setpipe_sz, bytes)); }
static inline int repo_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : (int)repo_result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}
// Whether reads and writes go past the page cache: in whole blocks only, where the file system can.
static inline int repo_set_direct(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return (int)repo_result(fcntl(fd, F_SETFL, on ? flags | __O_DIRECT : flags & ~__O_DIRECT));
}
static inline int repo_flock_exclusive(int fd) { return (int)repo_result(flock(fd, LOCK_EX)); }
static inline long repo_getrandom(void *to, size_t count) { return repo_result(getrandom(to, count, 0)); }
// Blocks of so many bytes and more are given back to the system as soon as they are freed, and the
// threads share one heap for smaller ones.
static inline void repo_keep_heap_small(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_ARENA_MAX, 1);
}
static inline int repo_forbid_dumps(void) { return (int)repo_result(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }
static inline void repo_wipe(void *at, size_t count) { explicit_bzero(at, count); }
// NULL where it fails.
static inline void *repo_secret_pages(size_t length) {
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}
static inline int repo_lock_pages(void *at, size_t length) {
    (void)madvise(at, length, MADV_DONTDUMP);
    return (int)repo_result(mlock(at, length));
}
static inline int repo_terminal_width(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
static inline unsigned repo_major(dev_t device) { return gnu_dev_major(device); }
static inline unsigned repo_minor(dev_t device) { return gnu_dev_minor(device); }
static inline dev_t repo_device(unsigned major, unsigned minor) { return gnu_dev_makedev(major, minor); }
static inline void repo_ignore_signal(int number) { signal(number, SIG_IGN); }
static inline int repo_exited(int status) { return WIFEXITED(status); }
static inline int repo_exit_status(int status) { return WEXITSTATUS(status); }
static inline int repo_term_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
static inline int repo_free_bytes(const char *path, uint64_t *bytes) {
    struct statvfs fs;
    if (statvfs(path, &fs) != 0) return -errno;
    *bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}
static inline int repo_create_exclusive_flags(void) { return O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW; }
static inline int repo_write_flags(void) { return O_WRONLY | O_NOFOLLOW; }
static inline int repo_change_flags(void) { return O_RDWR | O_NOFOLLOW | O_NONBLOCK; }
static inline int repo_append_flags(void) { return O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW; }
static inline int repo_read_flags(void) { return O_RDONLY; }
static inline int repo_read_once_flags(void) { return O_RDONLY | O_NOFOLLOW | O_NONBLOCK; }
static inline int repo_directory_flags(void) { return O_RDONLY | O_DIRECTORY; }
static inline int repo_seek_data(void) { return repo_whence_data; }
static inline int repo_seek_hole(void) { return repo_whence_hole; }
extern char **environ;
static inline char **repo_environment(void) { return environ; }
