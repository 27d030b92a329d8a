/* SPDX-License-Identifier: MIT
 * err.c - writes the message of an error, and what it happened in before it. */
#include "kernels/base/err.h"
#include "kernels/base/text.h"
#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        const locale_t host = text_c_locale();
        vsnprintf(e->text, sizeof e->text, fmt, ap);
        text_host_locale(host);
        va_end(ap);
        e->code = code;
    }
    return code;
}

int err_context(struct err *e, int code, const char *fmt, ...)
{
    if (e) {
        char context[256], said[sizeof e->text];
        va_list ap;
        va_start(ap, fmt);
        const locale_t host = text_c_locale();
        vsnprintf(context, sizeof context, fmt, ap);
        text_host_locale(host);
        va_end(ap);
        snprintf(said, sizeof said, "%s", e->text);
        if (snprintf(e->text, sizeof e->text, "%s: %s", context, said) < 0) e->text[0] = 0;
        e->code = code;
    }
    return code;
}
