#pragma once
#include <zlib.h>

// inflateInit2 is a macro, which Swift does not see. 15 + 16: a gzip header and trailer are wanted.
static inline int repo_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
