"""The C++ that streams images through Verilator's model of a core."""

__all__ = ["LOOP"]

LOOP = """
#include <cstdint>

namespace {
const int64_t PATIENCE = 1 << 22;

struct Core {
    VerilatedContext context;
    Vdut* dut;
    int64_t clock = 0;

    explicit Core(int seed) {
        if (seed) {
            context.randReset(2);
            context.randSeed(seed);
        }
        dut = new Vdut(&context, "core");
        dut->i_valid = dut->i_last = dut->i_load_valid = dut->i_ready = 0;
        dut->i_rst = 1;
        tick();
        tick();
        dut->i_rst = 0;
    }
    void tick() {
        dut->i_clk = 0;
        dut->eval();
        dut->i_clk = 1;
        dut->eval();
        ++clock;
    }
};

uint64_t next(uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
}  // namespace

extern "C" {
void* core_new(int seed) { return new Core(seed); }

void core_free(void* p) {
    Core* c = static_cast<Core*>(p);
    delete c->dut;
    delete c;
}

void core_reset(void* p) {
    Core* c = static_cast<Core*>(p);
    c->dut->i_rst = 1;
    c->tick();
    c->dut->i_rst = 0;
}

void core_run(void* p, int64_t images, int64_t pixels, int64_t answers, const uint8_t* given,
              uint64_t* found, int64_t* clocks, int gaps, uint64_t seed, int64_t* odd) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    const int64_t total = images * pixels, wanted = images * answers;
    int64_t sent = 0, got = 0, began = c->clock, moved = c->clock;
    uint64_t state = seed * 2654435761u + 88172645463325252u;
    bool offered = false;
    while (got < wanted && c->clock - moved < PATIENCE) {
        const bool wait_in = gaps && !offered && int(next(state) & 255) < gaps;
        const bool wait_out = gaps && int(next(state) & 255) < gaps;
        d->i_valid = sent < total && !wait_in;
        d->i_data = d->i_valid ? given[sent] : 0xa5;
        d->i_last = d->i_valid && sent == total - 1;
        d->i_ready = !wait_out;
        d->i_clk = 0;
        d->eval();
        offered = d->i_valid && !d->o_ready;
        if (d->i_valid && d->o_ready) {
            ++sent;
            moved = c->clock;
        }
        if (d->o_valid && d->i_ready) {
            const bool ends = got % answers == answers - 1;
            if (bool(d->o_last) != ends) ++odd[1];
            found[got] = d->o_data;
            if (ends) clocks[got / answers] = c->clock - began;
            ++got;
            moved = c->clock;
        }
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    odd[0] = got < wanted;
    d->i_valid = 0;
    d->i_ready = 1;
    for (int k = 0; k < 64; ++k) {
        d->i_clk = 0;
        d->eval();
        if (d->o_valid) ++odd[1];
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
}

void core_trace(void* p, int64_t pixels, const uint8_t* given, int64_t clocks, uint8_t* seen,
                uint64_t* words) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    d->i_ready = 1;
    for (int64_t k = 0, sent = 0; k < clocks; ++k) {
        d->i_valid = sent < pixels;
        d->i_data = d->i_valid ? given[sent] : 0;
        d->i_last = sent == pixels - 1;
        d->i_clk = 0;
        d->eval();
        sent += d->i_valid && d->o_ready;
        seen[k] = d->i_valid | d->o_ready << 1 | d->o_valid << 2 | d->o_last << 3 |
                  d->o_busy << 4 | d->o_layer << 5;
        words[k] = d->o_data;
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    d->i_valid = 0;
}

int64_t core_load(void* p, int64_t count, const uint64_t* words) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    int64_t sent = 0;
    for (int64_t waited = 0; sent < count && waited < PATIENCE; ++waited) {
        d->i_load_valid = 1;
        d->i_load_data = words[sent];
        d->i_clk = 0;
        d->eval();
        if (d->o_load_ready) {
            ++sent;
            waited = 0;
        }
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    d->i_load_valid = 0;
    return sent == count;
}
}
"""
