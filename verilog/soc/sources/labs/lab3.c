// SPDX-License-Identifier: MIT
// Labs 3 and 4: a systolic array of 8 x 8 whose weights stay. Eight words of a window and eight
// channels at a time; the sums of up to 128 places stay in the unit. In lab 3 there is one set of
// weights: the next is loaded when no word is on its way any more. In lab 4 (DOUBLE) it is loaded
// behind the one at work.

#include "cfu.h"
#include "network.h"

#define SIDE 8      // rows and columns of the array
#define PLACES 128  // sums that it keeps for each column
// A loaded word comes two instructions later: the next address is made before it is used.
#define ADVANCE(pointer, bytes) __asm__ volatile("add %0, %0, %1" : "+r"(pointer) : "r"(bytes))
#ifdef DOUBLE
#define WAIT_FOR_WEIGHTS()
#else
#define WAIT_FOR_WEIGHTS() cfu_wait()
#endif

// The input moved by 0 to 3 bytes, so that a word begins at every byte of it.
static const uint32_t *moved[4];

static void move_input(const struct layer *l, const int8_t *in) {
    static uint32_t copies[3][MOST / 4 + 2 * SIDE] __attribute__((aligned(32)));
    const uint32_t *words = (const uint32_t *)in;
    const int count = l->padded_height * l->padded_width * l->maps / 4 + 3;
    moved[0] = words;
    for (int by = 1; by < 4; by++) {
        moved[by] = copies[by - 1];
        if (l->size == 1) continue;
        for (int k = 0; k < count; k++)
            copies[by - 1][k] = words[k] >> 8 * by | words[k + 1] << (32 - 8 * by);
    }
}

// Streams the words at `from` bytes into each window of rows first to end, four windows apart:
// then they begin at the same byte of a word.
static void stream(const struct layer *l, int first, int end, int from) {
    const int step = l->stride * l->maps, width = l->out_width;
    const int down = l->stride * l->padded_width * l->maps;
    if (l->size == 1 && width == 1) {  // a dense layer
        cfu_stream(moved[0][from >> 2], moved[0][(from >> 2) + 1]);
        return;
    }
    from += first * down;
    for (int y = first; y < end; y++, from += down)
        for (int x = 0; x < 4 && x < width; x++) {
            const int at = from + x * step;
            const uint32_t *words = moved[at & 3] + (at >> 2);
            for (int n = width - x; n > 0; n -= 4) {
                const uint32_t low = words[0], high = words[1];
                ADVANCE(words, 4 * step);
                cfu_stream(low, high);
            }
        }
}

// Makes the sums of rows first to end words, channel by channel, in the order they came.
static void finish(const struct layer *l, int first, int end, int channel, void *out) {
    const int channels = l->channels, width = l->out_width, wide = l->wide;
    const int count = channels - channel < SIDE ? channels - channel : SIDE;
    for (int c = 0; c < count; c++) {
        const struct scale *s = &l->scales[channel + c];
        const uint32_t p = s->packed;
        uint32_t place = 0;
        cfu_scale((uint32_t)s->positive, (uint32_t)s->negative);
        for (int y = first; y < end; y++)
            for (int x = 0; x < 4 && x < width; x++) {
                int to = (y * width + x) * channels + channel + c;
                for (int n = width - x; n > 0; n -= 4, place++, to += 4 * channels)
                    if (wide)
                        ((int16_t *)out)[to] = (int16_t)cfu_score(place, (uint32_t)c, p);
                    else
                        ((int8_t *)out)[to] = (int8_t)cfu_rescale(
                            place, (uint32_t)c, p & 255, p >> 8 & 255, p >> 16 & 255, p >> 24);
            }
    }
}

static void load(const uint32_t *weights) {
    for (int k = 0; k < 2 * SIDE; k += 4) {
        const uint32_t a = weights[k], b = weights[k + 1], c = weights[k + 2], d = weights[k + 3];
        cfu_load(a, b);
        cfu_load(c, d);
    }
}

void product(const struct layer *l, const int8_t *in, void *out) {
    const int row = l->padded_width * l->maps, groups = (l->run + SIDE - 1) / SIDE;
    const int at_once = l->out_width < PLACES ? PLACES / l->out_width : 1;
    const uint32_t *tiles = (const uint32_t *)l->weights;
    move_input(l, in);
    for (int channel = 0; channel < l->channels; channel += SIDE) {
        for (int first = 0; first < l->out_height; first += at_once) {
            const int end = first + at_once < l->out_height ? first + at_once : l->out_height;
            const uint32_t *weights = tiles;
            for (int c = 0; c < SIDE && channel + c < l->channels; c++)
                cfu_bias((uint32_t)l->scales[channel + c].bias, (uint32_t)c);
            for (int i = 0; i < l->size; i++)
                for (int g = 0; g < groups; g++, weights += 2 * SIDE) {
                    WAIT_FOR_WEIGHTS();
                    load(weights);
                    cfu_swap();
                    cfu_begin(0, weights == tiles);
                    stream(l, first, end, i * row + g * SIDE);
                }
            finish(l, first, end, channel, out);
        }
        tiles += l->size * groups * 2 * SIDE;
    }
}
