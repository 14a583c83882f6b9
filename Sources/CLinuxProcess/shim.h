#ifndef MANTA_CLINUXPROCESS_SHIM_H
#define MANTA_CLINUXPROCESS_SHIM_H

// What Swift cannot say itself: fork is unavailable there, and posix_spawn cannot set a parent-death
// signal. Between fork and exec only async-signal-safe calls are made.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// A GNU extension that Swift's Glibc leaves out.
extern int pipe2(int ends[2], int flags);

static inline int manta_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// Swift's Glibc has no malloc.h. The other C libraries have no arenas.
static inline void manta_limit_arenas(int count) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

typedef struct {
    const char *path;
    char *const *argv;
    char *const *envp;
    // NULL: the parent's.
    const char *working_directory;
    // descriptors[i] becomes descriptor i of the child; everything else is closed.
    const int *descriptors;
    int descriptor_count;
    // A session of its own (and so a process group of its own).
    int new_session;
    // A process group of its own.
    int new_group;
    // Sent to the child when the thread that called this ends; 0: none.
    int death_signal;
    // The child writes itself into the control group behind this descriptor; -1: none.
    int group_entrance;
} manta_spawn_request;

static inline void manta_child_exec(const manta_spawn_request *r, int report) {
    int moved[64];
    int code;
    struct sigaction by_default;
    sigset_t none;

    for (int s = 1; s < 65; s++) {
        by_default.sa_handler = SIG_DFL;
        by_default.sa_flags = 0;
        sigemptyset(&by_default.sa_mask);
        sigaction(s, &by_default, NULL);
    }
    if (r->new_session) setsid();
    else if (r->new_group) setpgid(0, 0);
    if (r->death_signal) prctl(PR_SET_PDEATHSIG, (unsigned long)r->death_signal, 0UL, 0UL, 0UL);

    // "0" means whoever writes it.
    if (r->group_entrance >= 0 && write(r->group_entrance, "0", 1) != 1) goto failed;

    // Sources may stand where targets will: move them out of the way first.
    report = fcntl(report, F_DUPFD_CLOEXEC, 128);
    for (int i = 0; i < r->descriptor_count; i++) {
        moved[i] = fcntl(r->descriptors[i], F_DUPFD_CLOEXEC, 64);
        if (moved[i] < 0) goto failed;
    }
    for (int i = 0; i < r->descriptor_count; i++)
        if (dup2(moved[i], i) < 0) goto failed;
#ifdef SYS_close_range
    // 4 = CLOSE_RANGE_CLOEXEC: the report pipe stays usable until exec.
    if (syscall(SYS_close_range, (unsigned)r->descriptor_count, ~0U, 4U) != 0)
#endif
        for (int fd = r->descriptor_count; fd < 4096; fd++)
            if (fd != report) close(fd);
    if (r->working_directory && chdir(r->working_directory) != 0) goto failed;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(r->path, r->argv, r->envp);
failed:
    code = errno;
    if (write(report, &code, sizeof code)) {}
    _exit(127);
}

// Answers 0 and the child's pid, or the errno of the step that failed.
static inline int manta_spawn(const manta_spawn_request *r, pid_t *pid) {
    int report[2];
    int code = 0;
    sigset_t all, before;
    pid_t child;
    ssize_t got;

    if (r->descriptor_count > 64) return EINVAL;
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    child = fork();
    if (child == 0) manta_child_exec(r, report[1]);
    code = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return code;
    }
    do got = read(report[0], &code, sizeof code);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof code) {
        waitpid(child, NULL, 0);
        return code;
    }
    *pid = child;
    return 0;
}

// `environ` is visible twice to Swift.
static inline char *const *manta_environment(void) {
    extern char **environ;
    return environ;
}

static inline int manta_set_parent_death_signal(int signal_number) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0UL, 0UL, 0UL);
}

// Orphaned descendants become children of this process, so that it can end them.
static inline int manta_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

// The soft limit on the private memory of another process of ours; the hard one stays.
static inline int manta_set_soft_data_limit(pid_t pid, unsigned long long bytes) {
    struct { unsigned long long soft, hard; } old, changed;
    if (syscall(SYS_prlimit64, (long)pid, (long)RLIMIT_DATA, NULL, &old) != 0) return errno;
    changed = old;
    changed.soft = bytes < old.hard ? bytes : old.hard;
    return syscall(SYS_prlimit64, (long)pid, (long)RLIMIT_DATA, &changed, NULL) == 0 ? 0 : errno;
}

static inline int manta_wait_exited(int status) { return WIFEXITED(status); }
static inline int manta_wait_exit_code(int status) { return WEXITSTATUS(status); }
static inline int manta_wait_signal(int status) { return WTERMSIG(status); }

#endif
