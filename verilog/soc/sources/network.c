// SPDX-License-Identifier: MIT
// Runs a network of 8-bit integers over images, layer by layer; tells cycles, words that are not
// those expected, and scores.

#include "network.h"

#include "system.h"

// Puts zeros around an image.
static void pad(const struct layer *l, const word *in, word *out) {
    const int row = l->width * l->maps, wide = l->padded_width * l->maps;
    const word zero = (word)l->zero;
    for (word *at = out, *end = out + l->padded_height * wide; at != end;) *at++ = zero;
    out += l->top * wide + l->left * l->maps;
    for (int y = 0; y < l->height; y++, out += wide)
        for (int x = 0; x < row; x++) out[x] = *in++;
}

#ifdef WORDS
static void greatest(const struct layer *l, const word *in, word *out) {
    const int row = l->padded_width * l->maps;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++)
            for (int c = 0; c < l->maps; c++) {
                const word *at = in + y * l->stride * row + x * l->stride * l->maps + c;
                word best = *at;
                for (int i = 0; i < l->size; i++)
                    for (int j = 0; j < l->size; j++) {
                        const word other = at[i * row + j * l->maps];
                        best = order(other) > order(best) ? other : best;
                    }
                *out++ = best;
            }
}

static void activation(const struct layer *l, const word *in, word *out) {
    for (int k = 0; k < l->maps; k++) out[k] = (word)activated(in[k]);
}
#else
int32_t rescaled(const struct layer *l, int32_t sum, const struct scale *s) {
    const int shift = (int)(s->packed & 255) + 1;
    const int32_t m = sum < 0 ? s->negative : s->positive;
    const int32_t zero = l->wide ? 0 : (int8_t)(s->packed >> 8);
    const int32_t low = l->wide ? INT16_MIN : (int8_t)(s->packed >> 16);
    const int32_t high = l->wide ? INT16_MAX : (int8_t)(s->packed >> 24);
    const int64_t scaled = ((int64_t)sum * m + ((int64_t)1 << (shift - 1))) >> shift;
    const int64_t word = scaled + zero;
    return (int32_t)(word < low ? low : word > high ? high : word);
}

// The greatest word of a window; with flip -1 the least, for ~word falls as word grows.
static int extreme(const int8_t *at, int size, int maps, int row, int flip) {
    int best = -128;
    for (int i = 0; i < size; i++, at += row) {
        const int8_t *word = at;
        for (int j = 0; j < size; j++, word += maps)
            best = (*word ^ flip) > best ? *word ^ flip : best;
    }
    return best ^ flip;
}

static int larger(int a, int b) { return a > b ? a : b; }

static void greatest(const struct layer *l, const int8_t *in, int8_t *out) {
    const int size = l->size, maps = l->maps, row = l->padded_width * maps;
    const int down = l->stride * row, across = l->stride * maps, width = l->out_width;
    for (int y = l->out_height; y > 0; y--, in += down) {
        const int8_t *window = in;
        for (int x = width; x > 0; x--, window += across)
            for (int c = 0; c < maps; c++) {
                const int8_t *at = window + c;
                const int flip = l->least[c] ? -1 : 0;
                if (size == 2)
                    *out++ = (int8_t)(larger(larger(at[0] ^ flip, at[maps] ^ flip),
                                             larger(at[row] ^ flip, at[row + maps] ^ flip)) ^ flip);
                else
                    *out++ = (int8_t)extreme(at, size, maps, row, flip);
            }
    }
}

static void average(const struct layer *l, const int8_t *in, int8_t *out) {
    const int row = l->padded_width * l->maps;
    for (int y = 0; y < l->out_height; y++)
        for (int x = 0; x < l->out_width; x++)
            for (int c = 0; c < l->maps; c++) {
                const int8_t *at = in + y * l->stride * row + x * l->stride * l->maps + c;
                int32_t sum = 0;
                for (int i = 0; i < l->size; i++, at += row)
                    for (int j = 0; j < l->size; j++) sum += at[j * l->maps] - l->zero;
                *out++ = (int8_t)rescaled(l, sum, &l->scales[c]);
            }
}

#endif

static void run_layer(const struct layer *l, const word *in, word *canvas, word *out) {
    if (l->padded_height != l->height || l->padded_width != l->width) {
        pad(l, in, canvas);
        in = canvas;
    }
    if (l->kind == PRODUCT) product(l, in, out);
    if (l->kind == GREATEST) greatest(l, in, out);
#ifdef WORDS
    if (l->kind == ACTIVATION) activation(l, in, out);
#else
    if (l->kind == AVERAGE) average(l, in, out);
#endif
}

// Returns whether the words are those expected; tells the first that is not.
static int right(const struct layer *l, int image, const word *words) {
    const int count = l->out_height * l->out_width * l->channels;
    const int16_t *expected = l->expected + image * answer_size;
    for (int k = 0; k < count; k++) {
        const int found = l->wide ? ((const int16_t *)words)[k] : words[k];
        if (found != expected[k]) {
            put_text("differs ");
            put_text(l->name);
            const int32_t told[] = {image, k, found, expected[k]};
            for (int n = 0; n < 4; n++) {
                put_char(' ');
                put_number(told[n]);
            }
            put_char('\n');
            return 0;
        }
    }
    return 1;
}

int main(void) {
    static word words[3][MOST] __attribute__((aligned(32)));
    for (int image = 0; image < image_count; image++) {
        const word *in = images + image * input_size;
        int now = 0;
        for (int n = 0; n < layer_count; n++, now = !now) {
            const uint32_t start = cycles();
            run_layer(&layers[n], in, words[2], words[now]);
            const uint32_t end = cycles();
            put_text("cycles ");
            put_number((int32_t)(end - start));
            put_char('\n');
            in = words[now];
            if (!right(&layers[n], image, in)) return 1;
        }
        put_text("scores");
        for (int k = 0; k < class_count; k++) {
            put_char(' ');
            put_number(layers[layer_count - 1].wide ? ((const int16_t *)in)[k] : in[k]);
        }
        put_char('\n');
    }
    return 0;
}
