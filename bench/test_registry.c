/* SPDX-License-Identifier: MIT
 * test_registry.c - what all plug-ins promise together: one name means one thing, and every verb helps. */
#include "bench/command.h"
#include "bench/quality/metric.h"
#include "bench/papers/paper.h"
#include "bench/rows/row.h"
#include "datasets/dataset.h"
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "pipeline/stage.h"
#include <ctype.h>

enum { MOST = 512 };
static struct { const struct param *param; char owner[64]; } all[MOST];
static size_t count;

static void take(const struct param *table, const char *kind, const char *name)
{
    for (; table && table->name; table++) {
        CHECK(count < MOST, "more than %d parameters", MOST);
        all[count].param = table;
        snprintf(all[count++].owner, sizeof all->owner, "%s %s", kind, name);
    }
}

static void gather(void)
{
    count = 0;
    for (size_t i = 0; index_at(i); i++) take(index_at(i)->params, "index", index_at(i)->name);
    for (size_t i = 0; stage_at(i); i++) take(stage_at(i)->params, slot_name(stage_at(i)->slot), stage_at(i)->name);
    for (size_t i = 0; generator_at(i); i++) take(generator_at(i)->params, "generator", generator_at(i)->name);
}

static void one_name_one_meaning(void)
{
    gather();
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct param *a = all[i].param, *b = all[j].param;
            if (strcmp(a->name, b->name) != 0) continue;
            CHECK(a->type == b->type, "%s: another type for %s and %s", a->name, all[i].owner, all[j].owner);
            CHECK(strcmp(a->unit, b->unit) == 0, "%s: in '%s' for %s, '%s' for %s", a->name, a->unit, all[i].owner,
                  b->unit, all[j].owner);
        }
}

/* A parameter named like a column must be that column: same unit. */
static void parameters_and_columns(void)
{
    struct layout l;
    gather();
    CHECK(layout_init(&l, NULL) == ERR_OK, "layout");
    for (size_t i = 0; i < count; i++) {
        const int at = layout_find(&l, all[i].param->name);
        if (at >= 0)
            CHECK(strcmp(l.columns[at].unit, all[i].param->unit) == 0, "%s: '%s' for %s, '%s' as a column",
                  all[i].param->name, all[i].param->unit, all[i].owner, l.columns[at].unit);
    }
    layout_fini(&l);
}

static void defaults_fit(void)
{
    gather();
    for (size_t i = 0; i < count; i++) {
        const struct param *p = all[i].param;
        struct err e = { 0 };
        CHECK(param_check(p, all[i].owner, p->usual, &e) == ERR_OK, "default: %s", e.text);
        CHECK(p->help && *p->help && p->unit, "%s of %s says nothing", p->name, all[i].owner);
        for (const char *c = p->name; *c; c++)
            CHECK(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_', "%s of %s",
                  p->name, all[i].owner);
    }
}

static void named_once(const char *kind, const char *name, const char *summary, const char *const *before, size_t n)
{
    CHECK(name && *name && summary && *summary, "%s %s says nothing", kind, name ? name : "without a name");
    for (size_t i = 0; i < n; i++) CHECK(strcmp(before[i], name) != 0, "%s %s twice", kind, name);
}

static void plug_ins_have_names(void)
{
    const char *names[256];
    size_t n = 0;
    for (; index_at(n); n++) named_once("index", names[n] = index_at(n)->name, index_at(n)->summary, names, n);
    CHECK(n > 0, "no index");
    for (n = 0; metric_at(n); n++)
        named_once("metric", names[n] = metric_at(n)->name, metric_at(n)->summary, names, n);
    CHECK(n == metric_count() && n >= 10, "%zu metrics", n);
    for (n = 0; reader_at(n); n++)
        named_once("reader", names[n] = reader_at(n)->name, reader_at(n)->summary, names, n);
    for (n = 0; paper_at(n); n++) named_once("paper", names[n] = paper_at(n)->name, paper_at(n)->summary, names, n);
    int slots[SLOT_COUNT] = { 0 };
    for (n = 0; stage_at(n); n++) {
        slots[stage_at(n)->slot]++;
        CHECK(stage_at(n)->summary && *stage_at(n)->summary, "stage %s says nothing", stage_at(n)->name);
        CHECK(stage_find(stage_at(n)->slot, stage_at(n)->name) == stage_at(n), "stage %s twice", stage_at(n)->name);
    }
    for (int s = 0; s < SLOT_COUNT; s++) CHECK(slots[s] > 0, "no stage for %s", slot_name((enum slot)s));
}

static void commands_help(void)
{
    const char *names[64];
    for (int i = 0; command_at(i); i++) {
        const struct command *c = command_at(i);
        char usage[64];
        named_once("command", names[i] = c->name, c->summary, names, (size_t)i);
        snprintf(usage, sizeof usage, "assay %s", c->name);
        CHECK(c->help && strncmp(c->help, "usage: ", 7) == 0, "%s: help starts with usage", c->name);
        CHECK(strstr(c->help, "example"), "%s: help without an example", c->name);
        CHECK(strstr(c->help, usage), "%s: help never says '%s'", c->name, usage);
        CHECK(c->help[strlen(c->help) - 1] == '\n', "%s: help ends in the middle of a line", c->name);
        for (const char *line = c->help; *line;) {
            const size_t size = strcspn(line, "\n");
            CHECK(size <= 120, "%s: a help line of %zu columns: %.40s", c->name, size, line);
            line += size + (line[size] == '\n');
        }
    }
}

int main(void)
{
    test_case("one parameter name means one thing", one_name_one_meaning);
    test_case("a parameter named like a column is that column", parameters_and_columns);
    test_case("defaults fit their own bounds", defaults_fit);
    test_case("every plug-in has a name of its own and a summary", plug_ins_have_names);
    test_case("every command helps, with an example", commands_help);
    return test_end();
}
