// SPDX-License-Identifier: MIT
// Lab 0: plain C, one product after the other.

#include "network.h"

void product(const struct layer *l, const int8_t *in, void *out) {
    int n = 0;
    const int row = l->padded_width * l->maps;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++) {
            const int8_t *window = in + y * l->stride * row + x * l->stride * l->maps;
            const int8_t *weight = l->weights;
            for (int c = 0; c < l->channels; c++) {
                int32_t sum = l->scales[c].bias;
                for (int i = 0; i < l->size; i++)
                    for (int k = 0; k < l->run; k++) sum += window[i * row + k] * *weight++;
                put(l, out, n++, rescaled(l, sum, &l->scales[c]));
            }
        }
}
