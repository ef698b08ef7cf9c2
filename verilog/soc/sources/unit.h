// SPDX-License-Identifier: MIT
// What labs do with a sum that the unit has.

#ifndef UNIT_H
#define UNIT_H

#include "cfu.h"
#include "network.h"

// Makes the n-th word of an output from a sum.
static inline void finish(const struct layer *l, const struct scale *s, uint32_t sum, void *out,
                          int n) {
    const uint32_t p = s->packed;
    cfu_scale((uint32_t)s->positive, (uint32_t)s->negative);
    if (l->wide)
        ((int16_t *)out)[n] = (int16_t)cfu_score(sum, p);
    else
        ((int8_t *)out)[n] =
            (int8_t)cfu_rescale(sum, p & 255, p >> 8 & 255, p >> 16 & 255, p >> 24);
}

#endif
