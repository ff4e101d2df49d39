// Steps a bank of neurons through updates read from stdin and answers with their results on stdout.
//
// Both directions carry little-endian blocks: a uint32 count, then that many records (Update in, Result out). A block is
// read completely before it is answered, and answered completely before the next is read; an end of file ends the run.
// Record i of the whole run belongs to lane i mod Lanes; a record with `carry` takes u and v from its lane's
// previous result instead of its own fields, so the hardware's own state is what goes on.
//
// Stalls (en_i = 0) and gaps (valid_i = 0) come at random, with random operands, so that a register which moves when it must not is seen.
//
// Exit code 1: results missing or unasked for, outputs that move while stalled, or valid_o not cleared by reset.

#include <cstdint>
#include <cstdio>
#include <tuple>
#include <vector>

#include "Vneuron_bench.h"
#include "verilated.h"

namespace {

struct Update {
    int32_t u, v, a, reset;
    uint32_t vth;
    uint16_t du, dv;
    int16_t bias_mant;
    uint8_t bias_exp, unit, carry, unused[3];
};
static_assert(sizeof(Update) == 32, "layout shared with the test");

struct Result {
    int32_t u, v;
    uint32_t flags;  // bit 0: spike, bit 1: clamped
};
static_assert(sizeof(Result) == 12, "layout shared with the test");

constexpr uint64_t Lanes = 64;
constexpr uint32_t Mask = 0xffffff;
constexpr int32_t Top = 0x800000;

// u lies in (-2^23, 2^23], v in [-(2^23-1), 2^23-1]: they differ in what the pattern 0x800000 stands for.
int32_t decode_u(uint32_t pattern) { return pattern > Top ? int32_t(pattern) - 2 * Top : int32_t(pattern); }
int32_t decode_v(uint32_t pattern) { return pattern >= Top ? int32_t(pattern) - 2 * Top : int32_t(pattern); }

class Bench {
public:
    Bench() {
        top.rst_ni = 0;
        for (int i = 0; i < 4; ++i) {
            scramble();
            top.en_i = i & 1;
            top.valid_i = 1;
            tick();
        }
        if (top.valid_o) throw "valid_o is set after reset";
        top.rst_ni = 1;
    }

    std::vector<Result> run(const std::vector<Update>& updates) {
        std::vector<Result> results;
        results.reserve(updates.size());
        size_t next = 0;
        for (unsigned idle = 0; results.size() < updates.size(); ++idle) {
            if (idle > 1000) throw "results are missing";
            const uint64_t dice = random();
            top.en_i = (dice & 7) != 0;
            top.valid_i = next < updates.size() && (dice & 0x38) != 0;
            if (top.en_i && top.valid_i) {
                drive(updates[next], (issued + next) % Lanes);
                ++next;
            } else {
                scramble();
            }
            const size_t asked = results.size();
            if (!top.en_i) {
                hold();
                continue;
            }
            top.unit_i = updates[asked].unit;
            tick();
            if (!top.valid_o) continue;
            if (asked >= next) throw "a result that was not asked for";
            results.push_back({decode_u(top.u_o), decode_v(top.v_o), uint32_t(top.spike_o | top.clamp_o << 1)});
            const uint64_t lane = (issued + asked) % Lanes;
            u[lane] = top.u_o;
            v[lane] = top.v_o;
            idle = 0;
        }
        issued += updates.size();
        return results;
    }

private:
    uint64_t random() {
        state ^= state << 13;
        state ^= state >> 7;
        return state ^= state << 17;
    }

    void tick() {
        top.clk_i = 0;
        top.eval();
        top.clk_i = 1;
        top.eval();
    }

    // A stalled cycle, in which no output may move.
    void hold() {
        const auto outputs = [this] {
            return std::make_tuple(top.valid_o, top.u_o, top.v_o, top.spike_o, top.clamp_o);
        };
        const auto before = outputs();
        tick();
        if (outputs() != before) throw "an output moves while en_i is 0";
    }

    void drive(const Update& x, uint64_t lane) {
        top.u_i = x.carry ? u[lane] : uint32_t(x.u) & Mask;
        top.v_i = x.carry ? v[lane] : uint32_t(x.v) & Mask;
        top.a_i = uint32_t(x.a) & 0x3ffff;
        top.reset_i = uint32_t(x.reset) & Mask;
        top.vth_i = x.vth;
        top.du_i = x.du;
        top.dv_i = x.dv;
        top.bias_mant_i = uint16_t(x.bias_mant) & 0x1fff;
        top.bias_exp_i = x.bias_exp;
    }

    void scramble() {
        const uint64_t r = random();
        top.u_i = r & Mask;
        top.v_i = (r >> 8) & Mask;
        top.a_i = (r >> 16) & 0x3ffff;
        top.reset_i = (r >> 24) & Mask;
        top.vth_i = (r >> 32) & 0x1ffff;
        top.du_i = (r >> 40) & 0xfff;
        top.dv_i = (r >> 48) & 0xfff;
        top.bias_mant_i = (r >> 50) & 0x1fff;
        top.bias_exp_i = r >> 61;
    }

    Vneuron_bench top;
    uint64_t state = 0x9e3779b97f4a7c15;
    uint64_t issued = 0;
    uint32_t u[Lanes] = {}, v[Lanes] = {};
};

}  // namespace

int main() {
    Verilated::randReset(2);
    try {
        Bench bench;
        uint32_t count;
        while (fread(&count, sizeof count, 1, stdin) == 1) {
            std::vector<Update> updates(count);
            if (fread(updates.data(), sizeof(Update), count, stdin) != count) throw "a truncated block";
            const std::vector<Result> results = bench.run(updates);
            fwrite(&count, sizeof count, 1, stdout);
            fwrite(results.data(), sizeof(Result), count, stdout);
            fflush(stdout);
        }
    } catch (const char* what) {
        fprintf(stderr, "neuron bench: %s\n", what);
        return 1;
    }
    return 0;
}
