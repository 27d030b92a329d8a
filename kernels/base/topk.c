/* SPDX-License-Identifier: MIT
 * topk.c - a heap with the worst hit at its root. */
#include "kernels/base/topk.h"

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

/* Heapsort, because qsort may allocate, and a query must not. */
void hits_sort(struct hit *hits, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) sift_down(hits, count, i);
    for (size_t end = count; end-- > 1;) {
        const struct hit worst = hits[0];
        hits[0] = hits[end];
        hits[end] = worst;
        sift_down(hits, end, 0);
    }
}

size_t topk_finish(struct topk *t)
{
    hits_sort(t->hits, t->count);
    return t->count;
}
