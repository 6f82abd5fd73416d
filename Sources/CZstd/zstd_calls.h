#pragma once
#include <zstd.h>
#include <zstd_errors.h>

// ZSTD_c_literalCompressionMode, which the header keeps for programs that link zstd statically: 1
// compresses literals whatever the strategy. A library that does not know it says so.
static const ZSTD_cParameter repo_zstd_literals = ZSTD_c_experimentalParam5;
