// Stands in front of every Verilated source: the design's memory images are found in its own folder.
//
// The Verilog names them relative to the design directory (`mem/...`). The working directory belongs to the whole process, so
// it cannot say where that is; the Verilated code's calls are led through a function that knows.
#ifndef SYNFIRE_MEMORY_H
#define SYNFIRE_MEMORY_H

#include "verilated.h"

#include <string>

// Where this thread's design finds the file that it calls `name`. Defined in synfire_sim.cpp.
std::string synfire_resolve(const std::string& name);

// $readmemh and $readmemb as Verilator's own, but for the name.
inline void synfire_readmem(bool hex, int bits, QData depth, int array_lsb, const std::string& name, void* memory,
                            QData start, QData end) {
    VL_READMEM_N(hex, bits, depth, array_lsb, synfire_resolve(name), memory, start, end);
}

#define VL_READMEM_N synfire_readmem

#endif
