/* A Verilated Synfire design behind a plain C interface.
 *
 * One shared library holds one design. Everything that differs between designs (streams, cores, memories) is looked up by name at
 * run time, so this interface and its implementation are the same for all of them. A cycle is the interval that ends with a
 * rising clock edge; what is sampled in a cycle is what the registers show during it.
 *
 * Functions that can fail return 0 (synfire_create NULL, synfire_run -1); synfire_error then says why. A simulation may be used
 * from one thread at a time. */
#ifndef SYNFIRE_SIM_H
#define SYNFIRE_SIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every incompatible change of this file. */
#define SYNFIRE_ABI 5u

/* Bits of a byte of the `drive` array of synfire_run, which says what the border does in one cycle. */
#define SYNFIRE_DRIVE_OFFER 1u /* a waiting input beat may be offered from this cycle on */
#define SYNFIRE_DRIVE_READY 2u /* the output is ready */
#define SYNFIRE_DRIVE_RESET 4u /* rst_ni is low, nothing is offered and the output is not ready */

/* An item to send into the design. */
struct synfire_beat {
    int64_t value;
    uint32_t id;
    uint32_t last;
};

/* Bits of synfire_wires.tag; the id stands below them. */
#define SYNFIRE_WIRES_VALID (1ull << 32)
#define SYNFIRE_WIRES_READY (1ull << 33)
#define SYNFIRE_WIRES_LAST (1ull << 34)

/* The wires of one stream in one cycle, two words so that they compare fast. `last`, `value` and `id` are zero while `valid` is. */
struct synfire_wires {
    int64_t value;
    uint64_t tag;
};

/* Cycles that one core spent, reset excluded. */
struct synfire_core_cycles {
    uint64_t active;
    uint64_t stalled;
};

/* How the simulated memory of external weights takes its time, in cycles: see "The simulated memory" in ARCHITECTURE.md. */
struct synfire_memory_timing {
    uint32_t latency;
    uint32_t spread;
    uint32_t pause;
    uint32_t unused;
    uint64_t seed;
};

typedef struct synfire_sim synfire_sim;

/* SYNFIRE_ABI as it was when the library was built. */
uint32_t synfire_abi(void);

/* Builds the design with every register and memory set from `seed` and lets it read its memory images, whose relative names are
 * resolved in `folder` (the design directory; never the working directory, which is the process's). `seed` must not be 0. On
 * failure returns NULL and writes the reason into `error`, ended by a zero byte. */
synfire_sim *synfire_create(const char *folder, uint32_t seed, char *error, uint64_t error_bytes);

/* Ends a simulation; NULL is allowed. */
void synfire_destroy(synfire_sim *sim);

/* Why the last call failed. Valid until the next call. */
const char *synfire_error(const synfire_sim *sim);

/* Samples the stream whose wires are `<prefix>_valid`, `_ready`, `_last`, `_value`, `_id` in `scope` from now on. Streams are numbered
 * in the order of these calls. `is_signed` says that the value is two's complement. */
int32_t synfire_add_stream(synfire_sim *sim, const char *scope, const char *prefix, int32_t is_signed);

/* Says which streams are the border: those are sampled at the ports of the top module where the design drives these. */
int32_t synfire_set_border(synfire_sim *sim, uint64_t input, uint64_t output);

/* Counts the cycles in which the wires `active` and `stall` in `scope` are set. Cores are numbered in the order of these calls. */
int32_t synfire_add_core(synfire_sim *sim, const char *scope);

/* Makes the array `name` in `scope` readable. Memories are numbered in the order of these calls. */
int32_t synfire_add_memory(synfire_sim *sim, const char *scope, const char *name);

/* Puts a memory of `count` words of `word_bytes` bytes, which are copied from `words`, behind the design's port of external weights.
 * From now on the request's `valid` and `ready` follow the streams in every cycle of synfire_run's `frames`, as one more of them. */
int32_t synfire_set_memory(synfire_sim *sim, const uint8_t *words, uint64_t count, uint32_t word_bytes,
                           const struct synfire_memory_timing *timing);

/* Reads `count` two's complement numbers of `number_bits` (at most 64) bits, `lanes` to a word, each from bit `first_bit` on of the
 * `lane_bits` bits of its lane: number n is at bits `(n mod lanes) * lane_bits + first_bit` and up of word `n / lanes`. */
int32_t synfire_read(synfire_sim *sim, uint64_t memory, uint32_t first_bit, uint32_t number_bits, uint32_t lane_bits,
                     uint32_t lanes, uint64_t count, int64_t *out);

/* Simulates `cycles` cycles. `drive` has a byte for each. Beats are offered in order; one that is offered stays until it is taken, also
 * across calls, so `beats` must begin with the first beat not taken yet. `frames` receives the wires of every stream,
 * cycle by cycle. Returns the number of beats taken, or -1. */
int64_t synfire_run(synfire_sim *sim, const struct synfire_beat *beats, uint64_t beat_count, const uint8_t *drive,
                    uint64_t cycles, struct synfire_wires *frames);

/* The counters of core `core` since the last reset. */
int32_t synfire_core_counters(synfire_sim *sim, uint64_t core, struct synfire_core_cycles *cycles);

#ifdef __cplusplus
}
#endif

#endif
