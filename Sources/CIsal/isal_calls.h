#pragma once
#include <isa-l/crc.h>
#include <stddef.h>
#include <stdint.h>

// The same of bytes that arrive in parts: begins with all bits set, ends inverted.
static inline uint32_t repo_crc32c_more(uint32_t state, const void *bytes, size_t count) {
    return crc32_iscsi((unsigned char *)bytes, (int)count, state);
}
// CRC-32C (Castagnoli), as databases and iSCSI have it. At most 2^31 - 1 bytes.
static inline uint32_t repo_crc32c(const void *bytes, size_t count) {
    return ~crc32_iscsi((unsigned char *)bytes, (int)count, 0xFFFFFFFFu);
}
