/* SPDX-License-Identifier: MIT
 * test_dictionary.c - every column of a row is in results/README.md, and nothing else is. */
#include "bench/quality/metric.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"

static int is_end_of_metric(const char *name)
{
    for (size_t i = 0; i < metric_count(); i++)
        if (strcmp(metric_lo(i), name) == 0 || strcmp(metric_hi(i), name) == 0) return 1;
    return 0;
}

static void every_column_is_explained(void)
{
    struct mem_map map;
    struct err e = { 0 };
    if (mem_map_open(&map, "results/README.md", &e) != ERR_OK) SKIP("not run from the top of the source tree");
    struct text text = { 0 };
    text_add_bytes(&text, map.at, map.size);
    mem_map_close(&map);
    struct layout l;
    CHECK(layout_init(&l, &e) == ERR_OK, "%s", e.text);
    const char *of_metrics = strstr(text_of(&text), "`METRIC_lo`, `METRIC_hi`");
    CHECK(of_metrics, "results/README.md does not say what the ends of a metric's interval are");
    for (size_t i = 0; i < l.count; i++) {
        struct text row = { 0 };
        if (is_end_of_metric(l.columns[i].name)) continue; /* one line for all of them */
        text_add(&row, "`%s`", l.columns[i].name);
        CHECK(strstr(text_of(&text), text_of(&row)), "%s is not in results/README.md", l.columns[i].name);
        text_free(&row);
    }
    size_t rows = 0;
    const char *end = strstr(text_of(&text), "\nAfter these");
    for (const char *at = strstr(text_of(&text), "| column |"); at && (at = strstr(at, "\n| `")) && at < end; at++) {
        char name[64] = "";
        if (at == of_metrics - strlen("\n| ")) continue;
        sscanf(at, "\n| `%63[a-z0-9_]`", name);
        CHECK(layout_find(&l, name) >= 0, "results/README.md has %s, a row has not", name);
        rows++;
    }
    CHECK(rows > 40, "%zu rows in the dictionary", rows);
    layout_fini(&l);
    text_free(&text);
}

int main(void)
{
    test_case("every column is explained", every_column_is_explained);
    return test_end();
}
