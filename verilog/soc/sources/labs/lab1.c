// SPDX-License-Identifier: MIT
// Lab 1: the unit multiplies, accumulates and rescales; the processor still loads each word.

#include "unit.h"

// A loaded word comes two instructions later. The compiler keeps other work between a load and
// a product that it knows, but not before an instruction that it does not: so it is put there.
#define NEXT(x, y) __asm__ volatile("addi %0, %0, 1\n\taddi %1, %1, 1" : "+r"(x), "+r"(y))

void product(const struct layer *l, const int8_t *in, void *out) {
    int n = 0;
    const int row = l->padded_width * l->maps;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++) {
            const int8_t *window = in + y * l->stride * row + x * l->stride * l->maps;
            const int8_t *weight = l->weights;
            for (int c = 0; c < l->channels; c++) {
                const struct scale *s = &l->scales[c];
                cfu_set((uint32_t)s->bias);
                for (int i = 0; i < l->size; i++) {
                    const int8_t *at = window + i * row, *end = weight + l->run;
                    while (weight != end) {
                        const int32_t a = *at, b = *weight;
                        NEXT(at, weight);
                        cfu_accumulate((uint32_t)a, (uint32_t)b);
                    }
                }
                finish(l, s, cfu_read(), out, n++);
            }
        }
}
