// SPDX-License-Identifier: MIT
// Runs the system and its custom function unit, each a model of its own, cycle by cycle:
//   run +program=FILE.hex CYCLES
// The console goes to stdout. Ends with the program's status; with 3, and the last program
// counter and the pending handshake on stderr, after CYCLES cycles.

#include <cstdio>
#include <cstdlib>

#include "Vcfu.h"
#include "Vsoc.h"
#include "verilated.h"

static Vsoc *soc;
static Vcfu *cfu;

// Lets both settle after an edge; a unit whose answer depends on what it does itself never does.
static void settle() {
    for (int tries = 0; tries < 8; tries++) {
        cfu->cmd_valid = soc->cmd_valid;
        cfu->cmd_payload_function_id = soc->cmd_payload_function_id;
        cfu->cmd_payload_inputs_0 = soc->cmd_payload_inputs_0;
        cfu->cmd_payload_inputs_1 = soc->cmd_payload_inputs_1;
        cfu->rsp_ready = soc->rsp_ready;
        cfu->eval();
        bool same = soc->cmd_ready == cfu->cmd_ready && soc->rsp_valid == cfu->rsp_valid &&
                    soc->rsp_payload_outputs_0 == cfu->rsp_payload_outputs_0;
        if (same && tries) return;
        soc->cmd_ready = cfu->cmd_ready;
        soc->rsp_valid = cfu->rsp_valid;
        soc->rsp_payload_outputs_0 = cfu->rsp_payload_outputs_0;
        soc->eval();
        if (same) return;
    }
    fprintf(stderr, "a loop without a register between the processor and the unit\n");
    exit(4);
}

int main(int count, char **words) {
    Verilated::commandArgs(count, words);
    soc = new Vsoc;
    cfu = new Vcfu;
    unsigned long long most = strtoull(words[count - 1], nullptr, 10), cycle;
    int due = 0;  // answers to commands that were taken
    soc->reset = cfu->reset = 1;
    for (cycle = 0; cycle < most && !soc->ended; cycle++) {
        if (cycle == 8) soc->reset = cfu->reset = 0;
        soc->clk = cfu->clk = 0;
        settle();
        if (soc->console_valid) putchar(soc->console_byte);
        due += (soc->cmd_valid && cfu->cmd_ready) - (cfu->rsp_valid && soc->rsp_ready);
        soc->clk = cfu->clk = 1;
        soc->eval();
        cfu->eval();
    }
    fflush(stdout);
    if (soc->ended) return soc->status & 255;
    settle();
    fprintf(stderr, "pc 0x%08x cmd_valid %d cmd_ready %d rsp_valid %d rsp_ready %d function %d due %d\n",
            soc->pc, soc->cmd_valid, soc->cmd_ready, soc->rsp_valid, soc->rsp_ready,
            soc->cmd_payload_function_id, due);
    return 3;
}
