// SPDX-License-Identifier: MIT
// Lab 2: four products an instruction. A window is gathered once, four words in a register;
// rows of weights lie likewise, filled up with zeros.

#include "unit.h"

// Returns the window's words: where they are, or gathered.
static const uint32_t *gathered(const struct layer *l, const int8_t *window, int row) {
    static uint32_t buffer[MOST / 4 + 1] __attribute__((aligned(32)));
    if (l->size == 1) return (const uint32_t *)window;
    int8_t *to = (int8_t *)buffer;
    for (int i = 0; i < l->size; i++, window += row)
        for (int k = 0; k < l->run; k++) *to++ = window[k];
    return buffer;
}

void product(const struct layer *l, const int8_t *in, void *out) {
    int n = 0;
    const int row = l->padded_width * l->maps, count = (l->depth + 3) / 4;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++) {
            const int8_t *window = in + y * l->stride * row + x * l->stride * l->maps;
            const uint32_t *a = gathered(l, window, row);
            const uint32_t *b = (const uint32_t *)l->weights;
            for (int c = 0; c < l->channels; c++, b += count) {
                const struct scale *s = &l->scales[c];
                int k = 0;
                cfu_set((uint32_t)s->bias);
                for (; k + 4 <= count; k += 4) {
                    const uint32_t a0 = a[k], a1 = a[k + 1], a2 = a[k + 2], a3 = a[k + 3];
                    const uint32_t b0 = b[k], b1 = b[k + 1], b2 = b[k + 2], b3 = b[k + 3];
                    cfu_accumulate(a0, b0);
                    cfu_accumulate(a1, b1);
                    cfu_accumulate(a2, b2);
                    cfu_accumulate(a3, b3);
                }
                for (; k < count; k++) cfu_accumulate(a[k], b[k]);
                finish(l, s, cfu_read(), out, n++);
            }
        }
}
