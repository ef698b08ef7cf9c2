// SPDX-License-Identifier: MIT
// Lab 1: the unit multiplies, accumulates and rescales; the processor still loads each word.

#include "unit.h"

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
                for (int i = 0; i < l->size; i++)
                    for (int k = 0; k < l->run; k++)
                        cfu_accumulate((uint32_t)window[i * row + k], (uint32_t)*weight++);
                finish(l, s, cfu_read(), out, n++);
            }
        }
}
