#ifndef MANTA_CLINUXPROCESS_SHIM_H
#define MANTA_CLINUXPROCESS_SHIM_H

// What Swift's Glibc overlay leaves out of process control on Linux.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Variadic, so not imported by Swift.
static inline int manta_set_parent_death_signal(int signal_number) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0UL, 0UL, 0UL);
}

static inline int manta_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

#endif
