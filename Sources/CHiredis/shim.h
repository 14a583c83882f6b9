#ifndef MANTA_CHIREDIS_SHIM_H
#define MANTA_CHIREDIS_SHIM_H

// hiredis.h uses struct timeval without including its header.
#include <sys/time.h>

#include <hiredis/hiredis.h>

#endif
