/* SPDX-License-Identifier: MIT
 * sha256.h - SHA-256 (FIPS 180-4), to compare fetched files with the manifest.  Our own 50 lines
 * rather than a library: nothing else here needs cryptography. */
#ifndef ASSAY_SHA256_H
#define ASSAY_SHA256_H
#include <stddef.h>

/* 64 lower-case hexadecimal digits and a 0. */
void sha256_hex(const void *bytes, size_t size, char out[65]);
#endif
