// SPDX-License-Identifier: MIT
// Lab 5, and lab 0 of the same networks: sums of products of words that are no integers, such as
// logarithms, one after the other in the order in which they were trained. With UNIT the unit
// has the sum; without it the same steps are C.

#include "arithmetic.h"
#include "network.h"

#ifdef UNIT
#include "cfu.h"
#define START(word) cfu_set((uint32_t)(word))
#define STEP(a, b) cfu_accumulate((uint32_t)(a), (uint32_t)(b))
#define SUM() ((int32_t)cfu_read())
#else
#define START(word) sum_start(word, SUM_REGISTERS)
#define STEP(a, b) sum_step(SUM_STATE, a, b, SUM_REGISTERS)
#define SUM() sum_finish(SUM_STATE)
#endif

void product(const struct layer *l, const word *in, void *out) {
#ifndef UNIT
    SUM_DECLARED;
#endif
    const int row = l->padded_width * l->maps;
    int n = 0;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++) {
            const word *window = in + y * l->stride * row + x * l->stride * l->maps;
            const word *weight = l->weights;
            for (int c = 0; c < l->channels; c++) {
                const struct scale *s = &l->scales[c];
                START(FIRST(s->bias));
                for (int i = 0; i < l->size; i++) {
                    const word *at = window + i * row;
                    for (int k = 0; k < l->run; k++) STEP(*at++, *weight++);
                }
                put(l, out, n++, tail(SUM(), s->bias, s->positive));
            }
        }
}

int32_t activated(int32_t x) { return activation_of(x); }
int32_t order(int32_t x) { return order_of(x); }
