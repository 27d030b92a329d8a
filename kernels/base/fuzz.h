/* SPDX-License-Identifier: MIT
 * fuzz.h - what a fuzz target is: a file F/fuzz_<name>.c that exports `const struct fuzz_target fuzz_<name>`.
 *
 * `make fuzz` links it with libFuzzer (clang), starts from the small inputs in the folder F/fuzz_<name>/ and keeps
 * what it learns in build/fuzz/<name>/; `make check` replays the folder, and mutations of it, with any compiler.
 * A finding is copied into the folder.  Two lines of the comment on top of the file are read by scripts/fuzz.sh:
 *
 *   reader: FILE ...              whose lines the inputs must reach (80 %)
 *   planted: FILE SED-COMMAND     a bug: the fuzzer must find it in a copy of the tree that has it */
#ifndef ASSAY_FUZZ_H
#define ASSAY_FUZZ_H
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *summary;
    /* Any bytes; what they may do is return an error.  0, or -1: not worth keeping.  Called again and again in one
     * process: what it makes it removes. */
    int (*run)(const uint8_t *bytes, size_t size);
    size_t longest; /* bytes of an input that are of use; 0: 4096 */
};

#endif
