/* SPDX-License-Identifier: MIT */
#include "kernels/base/topk.h"
#include <stdlib.h>

static void sift_down(struct hit *heap, size_t count, size_t at)
{
    const struct hit moving = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && hit_before(heap[child], heap[child + 1])) child++;
        if (hit_before(heap[child], moving)) break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

void topk_push_slow(struct topk *t, struct hit h)
{
    if (t->count == t->k) {
        if (t->k == 0 || !hit_before(h, t->hits[0])) return;
        t->hits[0] = h;
        sift_down(t->hits, t->k, 0);
        return;
    }
    size_t at = t->count++;
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (hit_before(t->hits[parent], h)) {
            t->hits[at] = t->hits[parent];
            continue;
        }
        break;
    }
    t->hits[at] = h;
}

static int compare(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    return hit_before(*x, *y) ? -1 : hit_before(*y, *x);
}

void hits_sort(struct hit *hits, size_t count) { qsort(hits, count, sizeof *hits, compare); }

size_t topk_finish(struct topk *t)
{
    hits_sort(t->hits, t->count);
    return t->count;
}
