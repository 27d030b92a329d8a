/* SPDX-License-Identifier: MIT
 * command.c - the registry of verbs. */
#include "bench/command.h"
#include "datasets/intake.h"
#include "kernels/base/text.h"
#include "pipeline/pipeline.h"
#include <string.h>

#define PLUGIN(f) extern const struct command f;
#include "gen/commands.inc"
#undef PLUGIN
static const struct command *const all[] = {
#define PLUGIN(f) &f,
#include "gen/commands.inc"
#undef PLUGIN
    NULL
};

const struct command *command_at(int i) { return all[i]; }

const struct command *command_find(const char *name)
{
    for (int i = 0; all[i]; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

int command_action(const struct subverb *actions, int argc, char **argv, struct err *e)
{
    const char *names[64], *asked = argc > 1 ? argv[1] : "";
    size_t count = 0;
    for (; actions[count].name && count < 64; count++) {
        names[count] = actions[count].name;
        if (strcmp(asked, names[count]) == 0) return actions[count].run(argc - 1, argv + 1, e);
    }
    if (argc < 2) return FAIL(e, ERR_ARG, "%s what? %s", argv[0], NEAREST("", names, count) + strlen("; there are "));
    return FAIL(e, ERR_ARG, "%s has no '%s'%s", argv[0], asked, NEAREST(asked, names, count));
}

void trust_base(struct option_list *settings, int trust)
{
    const int most = (int)(sizeof settings->at / sizeof *settings->at);
    if (trust && settings->count < most) settings->at[settings->count++] = SETTINGS_TRUST;
}

void command_notes(const char *what, const struct tally *notes)
{
    struct text lines = { 0 }, between = { 0 };
    text_add(&between, "\n%s: ", what);
    tally_text(notes, text_of(&between), &lines);
    if (lines.size) fprintf(stderr, "%s: %s\n", what, text_of(&lines));
    text_free(&between);
    text_free(&lines);
}
