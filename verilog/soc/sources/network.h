// SPDX-License-Identifier: MIT
// A network in words: what the host links into a program, and what runs it.

#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

// The words of a network: integers of 8 bits, or with WORDS those of another arithmetic, whose
// activation and order come with the network.
#ifdef WORDS
typedef int16_t word;
int32_t activated(int32_t x);
int32_t order(int32_t x);
#else
typedef int8_t word;
#endif

// Of each output channel: the first sum, which holds the zeros of the inputs too, and how a sum
// becomes a word: clamp(zero + (sum m + 2^(n-1) >> n)), m = positive or, of a negative sum,
// negative. packed has n - 1, zero, low and high, a byte each, from the lowest up.
struct scale {
    int32_t bias, positive, negative;
    uint32_t packed;
};

// Each output is a window of the input times a row of weights. A row of a window is `run` bytes
// side by side. A dense layer has a window of 1 x 1 at one place.
struct layer {
    const char *name;
    enum { PRODUCT, GREATEST, AVERAGE, ACTIVATION } kind;
    int height, width, maps;  // of the input
    int size, stride;
    int out_height, out_width, channels;
    int top, left, padded_height, padded_width;  // zeros around the input, none: as it is
    int zero;
    int run, depth;
    int wide;  // whether words of the output are scores of 16 bits, their zero 0
    const word *weights;  // as the lab wants them
    const struct scale *scales;
    const uint8_t *least;  // of pooling: channels whose least word is taken
    const int16_t *expected;  // the words that it must answer, of the first image
};

extern const struct layer layers[];
extern const int layer_count, image_count, input_size, class_count, answer_size;
extern const word images[];

void product(const struct layer *l, const word *in, void *out);  // each lab has its own
int32_t rescaled(const struct layer *l, int32_t sum, const struct scale *s);

// Writes a word of an output.
static inline void put(const struct layer *l, void *out, int n, int32_t value) {
    if (l->wide)
        ((int16_t *)out)[n] = (int16_t)value;
    else
        ((word *)out)[n] = (word)value;
}

#ifndef MOST
#define MOST 16384  // words between two layers, with zeros around them
#endif

#endif
