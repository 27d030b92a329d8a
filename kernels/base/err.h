/* SPDX-License-Identifier: MIT
 * err.h - how a function says no: an int status, and a message for a person.
 *
 * Status 0 is success.  On failure a function returns ERR_*, fills *e when e is not NULL, and
 * leaves its outputs untouched.  Libraries never print and never exit; only bench/main.c does.
 * A broken promise inside the program is not an error but a bug: assert() it.
 * A message names the thing and the value: "turboquant: bits=9 outside 1..8". */
#ifndef ASSAY_ERR_H
#define ASSAY_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ERR_OK = 0,
    ERR_ARG = -1,         /* the caller asked for something that does not exist or is out of bounds */
    ERR_MEM = -2,         /* out of memory */
    ERR_IO = -3,          /* the operating system or SQLite failed to read or write */
    ERR_FORMAT = -4,      /* a file is damaged, foreign or of another version */
    ERR_NOT_FOUND = -5,   /* a file, row or entity that does not exist */
    ERR_UNSUPPORTED = -6, /* this CPU or this build cannot do it */
    ERR_BUSY = -7,        /* locked by another process, or a deadline passed */
};

struct err {
    int code;
    char text[512];
};

/* Fills *e (may be NULL) and returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the message of a failure on its way up; returns e's code. */
int err_context(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define FAIL(e, code, ...) err_set((e), (code), __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
