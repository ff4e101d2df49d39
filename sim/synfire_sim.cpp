// Implementation of synfire_sim.h around the Verilated class Vsynfire.

#include "synfire_sim.h"
#include "synfire_memory.h"

#include "Vsynfire.h"
#include "verilated.h"
#include "verilated_sym_props.h"
#include "verilated_syms.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#define SYNFIRE_EXPORT __attribute__((visibility("default")))

namespace {

// What Verilator's run-time library complained about on this thread; it has no other way to report.
thread_local std::string complaints;

void complain(const char* kind, const char* file, int line, const char* message) {
    if (!complaints.empty()) complaints += "\n";
    complaints += kind;
    if (file && *file) {
        complaints += std::string{": "} + file;
        if (line) complaints += ":" + std::to_string(line);
    }
    complaints += std::string{": "} + message;
}

// The folder of the design that this thread is starting: initial blocks run on the thread that evaluates the model.
thread_local const char* design_folder = nullptr;

// Sets it while it lives.
struct InFolder final {
    explicit InFolder(const char* folder) { design_folder = folder; }
    ~InFolder() { design_folder = nullptr; }
    InFolder(const InFolder&) = delete;
    InFolder& operator=(const InFolder&) = delete;
};

// A scalar variable of at most 64 bits, read through its address.
struct Wire final {
    const void* data = nullptr;
    uint32_t bytes = 0;
    uint32_t bits = 0;

    uint64_t get() const {
        switch (bytes) {
        case 1: return *static_cast<const CData*>(data);
        case 2: return *static_cast<const SData*>(data);
        case 4: return *static_cast<const IData*>(data);
        default: return *static_cast<const QData*>(data);
        }
    }
};

int64_t sign_extend(uint64_t value, uint32_t bits) {
    const uint32_t unused = 64 - bits;
    return static_cast<int64_t>(value << unused) >> unused;
}

// Bits of a variable, or of one entry if it is an array.
uint32_t entry_bits(const VerilatedVar& var) {
    uint32_t bits = 1;
    for (int dimension = var.udims(); dimension < var.dims(); ++dimension) bits *= var.range(dimension)->elements();
    return bits;
}

struct Stream final {
    Wire valid, ready, last, value, id;
    bool is_signed = false;
};

// The memory behind the port of external weights.
struct Weights final {
    std::vector<uint8_t> words;
    uint32_t word_bytes = 0;
    synfire_memory_timing timing{};
    uint64_t now = 0;         // cycles since reset
    uint64_t requests = 0;    // since reset
    uint64_t busy_until = 0;  // the first cycle in which it is ready again
    uint64_t last_due = 0;    // when the latest request is answered
    struct Request {
        uint64_t due, address;
    };
    std::deque<Request> waiting;

    void reset() {
        now = requests = busy_until = last_due = 0;
        waiting.clear();
    }

    // The finaliser of SplitMix64.
    static uint64_t noise(uint64_t index, uint64_t seed) {
        uint64_t z = seed + (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return z ^ (z >> 31);
    }

    bool ready() const { return now >= busy_until; }
    bool answers() const { return !waiting.empty() && waiting.front().due == now; }

    // What stands on the data wires in this cycle: a word if there is an answer to an address that exists, noise otherwise.
    void data(uint8_t* out) const {
        if (answers() && waiting.front().address < words.size() / word_bytes) {
            std::memcpy(out, words.data() + waiting.front().address * word_bytes, word_bytes);
            return;
        }
        for (uint32_t byte = 0; byte < word_bytes; ++byte) out[byte] = static_cast<uint8_t>(noise(now, byte));
    }

    void step(bool taken, uint64_t address) {
        if (answers()) waiting.pop_front();
        if (taken) {
            const uint64_t due = now + timing.latency + noise(requests, timing.seed) % (uint64_t{timing.spread} + 1);
            last_due = std::max(due, last_due + 1);
            waiting.push_back(Request{last_due, address});
            busy_until = now + 1 + noise(requests, ~timing.seed) % (uint64_t{timing.pause} + 1);
            ++requests;
        }
        ++now;
    }
};

struct Memory final {
    const uint8_t* data = nullptr;
    uint32_t word_bits = 0;
    uint32_t word_bytes = 0;
    uint64_t words = 1;
};

struct Core final {
    Wire active, stall;
    synfire_core_cycles cycles{};
};

template <class Port>
void set_port(Port& port, uint64_t value) {
    static_assert(std::is_integral<Port>::value, "ports of at most 64 bits");
    port = static_cast<Port>(value);
}

template <class Port>
Wire port_wire(const Port& port, uint32_t bits) {
    static_assert(std::is_integral<Port>::value, "ports of at most 64 bits");
    return Wire{&port, sizeof(Port), bits};
}

// The port of external weights of designs that have one; `int` is preferred to `long`, where it compiles.
template <class Top>
auto drive_weights(Top& top, const Weights& weights, bool reset, int) -> decltype(static_cast<void>(top.mem_ready_i)) {
    static_assert(std::is_trivially_copyable<std::remove_reference_t<decltype(top.mem_answer_data_i)>>::value, "copied by bytes");
    top.mem_ready_i = !reset && weights.ready();
    top.mem_answer_valid_i = !reset && weights.answers();
    std::vector<uint8_t> data(weights.word_bytes);
    weights.data(data.data());
    std::memcpy(&top.mem_answer_data_i, data.data(), data.size());
}
template <class Top>
void drive_weights(Top&, const Weights&, bool, long) {}

// What the design asks for: `valid`, and the address.
template <class Top>
auto requested(const Top& top, int) -> decltype(static_cast<void>(top.mem_valid_o), std::pair<bool, uint64_t>{}) {
    return {top.mem_valid_o, top.mem_addr_o};
}
template <class Top>
std::pair<bool, uint64_t> requested(const Top&, long) {
    return {false, 0};
}

// Bytes of a word at the port, 0 if there is none.
template <class Top>
auto port_bytes(const Top& top, int) -> decltype(static_cast<void>(top.mem_answer_data_i), size_t{}) {
    return sizeof(top.mem_answer_data_i);
}
template <class Top>
size_t port_bytes(const Top&, long) {
    return 0;
}

}  // namespace

std::string synfire_resolve(const std::string& name) {
    if (!design_folder || (!name.empty() && name.front() == '/')) return name;
    return std::string{design_folder} + "/" + name;
}

// Verilator's run-time library calls these; its own versions print and end the process.
void vl_finish(const char*, int, const char*) { throw std::runtime_error{"the design called $finish"}; }
void vl_stop(const char* file, int line, const char*) {
    complain("stop", file, line, "the design called $stop");
    throw std::runtime_error{complaints};
}
void vl_fatal(const char* file, int line, const char*, const char* message) {
    complain("fatal", file, line, message);
    throw std::runtime_error{complaints};
}
void vl_warn(const char* file, int line, const char*, const char* message) { complain("warning", file, line, message); }

struct synfire_sim final {
    VerilatedContext context;
    std::unique_ptr<Vsynfire> model;
    std::vector<Stream> streams;
    std::vector<Core> cores;
    std::vector<Memory> memories;
    std::unique_ptr<Weights> weights;
    uint64_t value_mask = ~uint64_t{0};  // bits of the input's value
    bool offering = false;  // an input beat stands on the port and has not been taken
    std::string error;

    ~synfire_sim() {
        if (model) model->final();
    }

    void clock(uint8_t level) {
        model->clk_i = level;
        model->eval();
    }

    const VerilatedVar* variable(const std::string& scope, const std::string& name) {
        const VerilatedScope* const found = context.scopeFind(scope.c_str());
        if (!found) throw std::runtime_error{"the design has no scope " + scope};
        const VerilatedVar* const var = found->varFind(name.c_str());
        if (!var) throw std::runtime_error{"scope " + scope + " has no variable " + name};
        return var;
    }

    Wire wire(const std::string& scope, const std::string& name) {
        const VerilatedVar* const var = variable(scope, name);
        if (var->udims() != 0 || entry_bits(*var) > 64) {
            throw std::runtime_error{scope + "." + name + " is not a vector of at most 64 bits"};
        }
        return Wire{var->datap(), var->entSize(), entry_bits(*var)};
    }

    void sample(synfire_wires* frame) const {
        for (const Stream& stream : streams) {
            synfire_wires wires{0, stream.ready.get() ? SYNFIRE_WIRES_READY : 0};
            if (stream.valid.get()) {
                const uint64_t value = stream.value.get();
                wires.tag |= SYNFIRE_WIRES_VALID | (stream.last.get() ? SYNFIRE_WIRES_LAST : 0) | stream.id.get();
                wires.value = stream.is_signed ? sign_extend(value, stream.value.bits) : static_cast<int64_t>(value);
            }
            *frame++ = wires;
        }
    }

    int64_t run(const synfire_beat* beats, uint64_t beat_count, const uint8_t* drive, uint64_t cycles,
                synfire_wires* frames) {
        Vsynfire& top = *model;
        uint64_t taken = 0;
        for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
            const bool reset = drive[cycle] & SYNFIRE_DRIVE_RESET;
            if (reset) {
                offering = false;
            } else if (!offering) {
                offering = (drive[cycle] & SYNFIRE_DRIVE_OFFER) && taken < beat_count;
            }
            top.rst_ni = !reset;
            top.in_valid_i = offering;
            if (offering) {
                set_port(top.in_last_i, beats[taken].last);
                set_port(top.in_value_i, static_cast<uint64_t>(beats[taken].value) & value_mask);
                set_port(top.in_id_i, beats[taken].id);
            }
            top.out_ready_i = !reset && (drive[cycle] & SYNFIRE_DRIVE_READY);
            if (weights) {
                if (reset) weights->reset();
                drive_weights(top, *weights, reset, 0);
            }
            clock(0);
            sample(frames);
            frames += streams.size();
            if (weights) {
                const std::pair<bool, uint64_t> request = requested(top, 0);
                const bool ready = !reset && weights->ready();
                *frames++ = synfire_wires{0, (request.first ? SYNFIRE_WIRES_VALID : 0) | (ready ? SYNFIRE_WIRES_READY : 0)};
                if (!reset) weights->step(request.first && ready, request.second);
            }
            for (Core& core : cores) {
                if (reset) {
                    core.cycles = synfire_core_cycles{};
                } else {
                    core.cycles.active += core.active.get();
                    core.cycles.stalled += core.stall.get();
                }
            }
            if (offering && top.in_ready_o) {
                offering = false;
                ++taken;
            }
            clock(1);
        }
        return static_cast<int64_t>(taken);
    }
};

namespace {

// Runs `body`; an exception becomes the simulation's error text and `failed`.
template <class Result, class Body>
Result guarded(synfire_sim* sim, Result failed, Body body) {
    complaints.clear();
    try {
        return body();
    } catch (const std::exception& exception) {
        sim->error = exception.what();
    } catch (...) {
        sim->error = "unknown exception";
    }
    return failed;
}

int64_t read_lane(const uint8_t* entry, uint64_t first_bit, uint32_t bits) {
    // Byte by byte, so that entries of any width (8 to 64 bits, or an array of 32-bit words) are read alike.
    uint64_t value = 0;
    for (uint32_t done = 0; done < bits;) {
        const uint64_t bit = first_bit + done;
        const uint32_t offset = bit % 8;
        value |= static_cast<uint64_t>(entry[bit / 8] >> offset) << done;
        done += 8 - offset;
    }
    return sign_extend(value, bits);
}

}  // namespace

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "read_lane relies on it");

extern "C" {

SYNFIRE_EXPORT uint32_t synfire_abi(void) { return SYNFIRE_ABI; }

SYNFIRE_EXPORT synfire_sim* synfire_create(const char* folder, uint32_t seed, char* error,
                                           uint64_t error_bytes) {
    complaints.clear();
    std::string reason;
    try {
        std::unique_ptr<synfire_sim> sim{new synfire_sim};
        sim->context.randReset(2);
        sim->context.randSeed(static_cast<int>(seed));
        sim->model.reset(new Vsynfire{&sim->context});
        const InFolder scope{folder};
        sim->clock(0);  // runs the initial blocks
        if (complaints.empty()) return sim.release();
        reason = complaints;
    } catch (const std::exception& exception) {
        reason = exception.what();
    } catch (...) {
        reason = "unknown exception";
    }
    if (error_bytes) {
        const uint64_t length = std::min<uint64_t>(reason.size(), error_bytes - 1);
        std::memcpy(error, reason.data(), length);
        error[length] = '\0';
    }
    return nullptr;
}

SYNFIRE_EXPORT void synfire_destroy(synfire_sim* sim) { delete sim; }

SYNFIRE_EXPORT const char* synfire_error(const synfire_sim* sim) { return sim->error.c_str(); }

SYNFIRE_EXPORT int32_t synfire_add_stream(synfire_sim* sim, const char* scope, const char* prefix, int32_t is_signed) {
    return guarded(sim, 0, [&] {
        const std::string name{prefix};
        Stream stream;
        stream.valid = sim->wire(scope, name + "_valid");
        stream.ready = sim->wire(scope, name + "_ready");
        stream.last = sim->wire(scope, name + "_last");
        stream.value = sim->wire(scope, name + "_value");
        stream.id = sim->wire(scope, name + "_id");
        stream.is_signed = is_signed;
        sim->streams.push_back(stream);
        return 1;
    });
}

SYNFIRE_EXPORT int32_t synfire_set_border(synfire_sim* sim, uint64_t input, uint64_t output) {
    return guarded(sim, 0, [&] {
        const Vsynfire& top = *sim->model;
        Stream& out = sim->streams.at(output);
        Stream& in = sim->streams.at(input);
        in.ready = port_wire(top.in_ready_o, 1);
        // Verilator's ports may be wider than the design's; a negative value must not reach beyond them.
        sim->value_mask = ~uint64_t{0} >> (64 - in.value.bits);
        out.valid = port_wire(top.out_valid_o, 1);
        out.last = port_wire(top.out_last_o, 1);
        out.value = port_wire(top.out_value_o, out.value.bits);
        out.id = port_wire(top.out_id_o, out.id.bits);
        return 1;
    });
}

SYNFIRE_EXPORT int32_t synfire_add_core(synfire_sim* sim, const char* scope) {
    return guarded(sim, 0, [&] {
        Core core;
        core.active = sim->wire(scope, "active");
        core.stall = sim->wire(scope, "stall");
        sim->cores.push_back(core);
        return 1;
    });
}

SYNFIRE_EXPORT int32_t synfire_add_memory(synfire_sim* sim, const char* scope, const char* name) {
    return guarded(sim, 0, [&] {
        const VerilatedVar* const var = sim->variable(scope, name);
        Memory memory{static_cast<const uint8_t*>(var->datap()), entry_bits(*var), var->entSize(), 1};
        for (int dimension = 0; dimension < var->udims(); ++dimension) {
            memory.words *= var->range(dimension)->elements();
        }
        sim->memories.push_back(memory);
        return 1;
    });
}

SYNFIRE_EXPORT int32_t synfire_set_memory(synfire_sim* sim, const uint8_t* words, uint64_t count, uint32_t word_bytes,
                                          const struct synfire_memory_timing* timing) {
    return guarded(sim, 0, [&] {
        const size_t expected = port_bytes(*sim->model, 0);
        if (!word_bytes || expected != word_bytes || !timing->latency) {
            throw std::runtime_error{"a memory of " + std::to_string(word_bytes) + " bytes a word and a latency of "
                                     + std::to_string(timing->latency) + " does not fit a port of "
                                     + std::to_string(expected) + " bytes"};
        }
        std::unique_ptr<Weights> memory{new Weights};
        memory->words.assign(words, words + count * word_bytes);
        memory->word_bytes = word_bytes;
        memory->timing = *timing;
        sim->weights = std::move(memory);
        return 1;
    });
}

SYNFIRE_EXPORT int32_t synfire_read(synfire_sim* sim, uint64_t index, uint32_t first_bit, uint32_t number_bits,
                                    uint32_t lane_bits, uint32_t lanes, uint64_t count, int64_t* out) {
    return guarded(sim, 0, [&] {
        const Memory& memory = sim->memories.at(index);
        if (number_bits < 1 || number_bits > 64 || uint64_t{first_bit} + number_bits > lane_bits || lanes < 1
            || uint64_t{lanes} * lane_bits > memory.word_bits
            || count > memory.words * lanes) {
            throw std::runtime_error{"a memory of " + std::to_string(memory.words) + " words of "
                                     + std::to_string(memory.word_bits) + " bits cannot hold " + std::to_string(count)
                                     + " numbers of " + std::to_string(number_bits) + " bits, " + std::to_string(lanes)
                                     + " to a word, from bit " + std::to_string(first_bit) + " on of every "
                                     + std::to_string(lane_bits) + " bits"};
        }
        for (uint64_t n = 0; n < count; ++n) {
            out[n] = read_lane(memory.data + n / lanes * memory.word_bytes, n % lanes * lane_bits + first_bit, number_bits);
        }
        return 1;
    });
}

SYNFIRE_EXPORT int64_t synfire_run(synfire_sim* sim, const struct synfire_beat* beats, uint64_t beat_count,
                                   const uint8_t* drive, uint64_t cycles, struct synfire_wires* frames) {
    return guarded(sim, int64_t{-1}, [&] { return sim->run(beats, beat_count, drive, cycles, frames); });
}

SYNFIRE_EXPORT int32_t synfire_core_counters(synfire_sim* sim, uint64_t core, struct synfire_core_cycles* cycles) {
    return guarded(sim, 0, [&] {
        *cycles = sim->cores.at(core).cycles;
        return 1;
    });
}

}  // extern "C"
