#ifndef MANTA_CZLIB_SHIM_H
#define MANTA_CZLIB_SHIM_H

#include <zlib.h>

/* A macro with a sizeof, which Swift does not import. Window bits of 15 + 16: a gzip stream. */
static inline int manta_inflate_gzip(z_stream *stream) {
    return inflateInit2_(stream, 15 + 16, ZLIB_VERSION, (int)sizeof(z_stream));
}

#endif
