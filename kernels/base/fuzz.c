/* SPDX-License-Identifier: MIT
 * fuzz.c - what drives a fuzz target (fuzz.h): libFuzzer's entry point, or a test program that replays the target's
 * folder and mutations of it.  Compiled once for each target, whose name the build passes. */
#include "kernels/base/fuzz.h"

extern const struct fuzz_target FUZZ_TARGET;

#ifdef FUZZ_WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) { return FUZZ_TARGET.run(bytes, size); }
#else
#include "kernels/base/test.h"
#include <dirent.h>

enum { MUTATIONS = 200, LONGEST = 1 << 20, INPUTS_MAX = 4096 };

/* The input at work, where the parent sees it after a crash. */
static struct shared { size_t size; char name[300]; uint8_t bytes[LONGEST]; } *now;

struct input { char name[256]; uint8_t *bytes; size_t size; };
static struct input *inputs;
static size_t input_count;

static void read_input(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f || input_count == INPUTS_MAX) return (void)(f && fclose(f));
    struct input *in = &inputs[input_count];
    in->bytes = malloc(LONGEST);
    in->size = fread(in->bytes, 1, LONGEST, f);
    in->bytes = realloc(in->bytes, in->size + 1);
    snprintf(in->name, sizeof in->name, "%.250s", name);
    input_count++;
    fclose(f);
}

static int no_dots(const struct dirent *d) { return d->d_name[0] != '.'; }

static void read_folder(const char *folder)
{
    struct dirent **names;
    const int n = scandir(folder, &names, no_dots, alphasort);
    for (int i = 0; i < n; i++) {
        read_input(folder, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0) free(names);
}

static void run_one(const char *name, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* exactly as long, so that ASan sees one byte too far */
    snprintf(now->name, sizeof now->name, "%s", name);
    memcpy(now->bytes, bytes, size);
    now->size = size;
    memcpy(copy, bytes, size);
    (void)FUZZ_TARGET.run(copy, size);
    free(copy);
}

static void replay(const void *a, void *b, void *c)
{
    (void)a, (void)b, (void)c;
    for (size_t i = 0; i < input_count; i++) run_one(inputs[i].name, inputs[i].bytes, inputs[i].size);
    exit(test_failures != 0); /* and not _exit: targets tidy up, counters are written */
}

/* Changes a few bytes, cuts, or puts the end of one input behind the start of another. */
static size_t mutate(uint8_t *bytes, size_t size, size_t most)
{
    const struct input *other = &inputs[test_rand() % input_count];
    const uint64_t how = test_rand() % 4;
    if (how == 0) return size ? test_rand() % size : 0;
    if (how == 1 && other->size && size) {
        const size_t at = test_rand() % size, from = test_rand() % other->size;
        const size_t n = other->size - from < most - at ? other->size - from : most - at;
        memcpy(bytes + at, other->bytes + from, n);
        return at + n;
    }
    for (uint64_t n = 1 + test_rand() % 4; n && size; n--) {
        const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '"', (uint8_t)test_rand() };
        bytes[test_rand() % size] = odd[test_rand() % sizeof odd];
    }
    return size;
}

static void replay_mutated(const void *a, void *b, void *c)
{
    (void)a, (void)b, (void)c;
    const size_t most = FUZZ_TARGET.longest ? FUZZ_TARGET.longest : 4096;
    uint8_t *bytes = malloc(LONGEST);
    for (int i = 0; i < MUTATIONS; i++) {
        const struct input *in = &inputs[test_rand() % input_count];
        const size_t size = in->size < most ? in->size : most;
        memcpy(bytes, in->bytes, size);
        run_one("mutated", bytes, mutate(bytes, size, most));
    }
    free(bytes);
    exit(test_failures != 0);
}

static void check(const char *what, void (*fn)(const void *, void *, void *))
{
    const char *said = test_child(fn, NULL, NULL, NULL);
    test_line(what, said == TEST_SAID_OK, NULL);
    if (said == TEST_SAID_OK) return;
    char path[] = "/tmp/fuzz-XXXXXX";
    const int fd = mkstemp(path);
    if (fd >= 0 && write(fd, now->bytes, now->size) == (ssize_t)now->size)
        fprintf(stderr, "%s: %s: input kept in %s\n", now->name, said, path);
    if (fd >= 0) close(fd);
}

/* Folders of more inputs may be given. */
int main(int argc, char **argv)
{
    now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    inputs = malloc(INPUTS_MAX * sizeof *inputs);
    if (now == MAP_FAILED || !inputs) abort();
    read_folder(FUZZ_FOLDER);
    for (int i = 1; i < argc; i++) read_folder(argv[i]);
    if (!input_count) fprintf(stderr, "%s: no inputs\n", FUZZ_FOLDER), exit(1);
    check("every input of its folder", replay);
    check("mutations of them", replay_mutated);
    for (size_t i = 0; i < input_count; i++) free(inputs[i].bytes);
    free(inputs);
    return test_end();
}
#endif
