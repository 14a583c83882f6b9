#ifndef MANTA_COPENBLAS_SHIM_H
#define MANTA_COPENBLAS_SHIM_H

#include <cblas.h>

#endif
