// Generated from sim/synfire_sim.h by tests/bindgen.rs; do not edit.

pub const SYNFIRE_ABI: u32 = 5;
pub const SYNFIRE_DRIVE_OFFER: u32 = 1;
pub const SYNFIRE_DRIVE_READY: u32 = 2;
pub const SYNFIRE_DRIVE_RESET: u32 = 4;
pub const SYNFIRE_WIRES_VALID: u64 = 4294967296;
pub const SYNFIRE_WIRES_READY: u64 = 8589934592;
pub const SYNFIRE_WIRES_LAST: u64 = 17179869184;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct synfire_beat {
    pub value: i64,
    pub id: u32,
    pub last: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of synfire_beat"][::std::mem::size_of::<synfire_beat>() - 16usize];
    ["Alignment of synfire_beat"][::std::mem::align_of::<synfire_beat>() - 8usize];
    ["Offset of field: synfire_beat::value"][::std::mem::offset_of!(synfire_beat, value) - 0usize];
    ["Offset of field: synfire_beat::id"][::std::mem::offset_of!(synfire_beat, id) - 8usize];
    ["Offset of field: synfire_beat::last"][::std::mem::offset_of!(synfire_beat, last) - 12usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct synfire_wires {
    pub value: i64,
    pub tag: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of synfire_wires"][::std::mem::size_of::<synfire_wires>() - 16usize];
    ["Alignment of synfire_wires"][::std::mem::align_of::<synfire_wires>() - 8usize];
    ["Offset of field: synfire_wires::value"][::std::mem::offset_of!(synfire_wires, value) - 0usize];
    ["Offset of field: synfire_wires::tag"][::std::mem::offset_of!(synfire_wires, tag) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct synfire_core_cycles {
    pub active: u64,
    pub stalled: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of synfire_core_cycles"][::std::mem::size_of::<synfire_core_cycles>() - 16usize];
    ["Alignment of synfire_core_cycles"][::std::mem::align_of::<synfire_core_cycles>() - 8usize];
    ["Offset of field: synfire_core_cycles::active"][::std::mem::offset_of!(synfire_core_cycles, active) - 0usize];
    ["Offset of field: synfire_core_cycles::stalled"][::std::mem::offset_of!(synfire_core_cycles, stalled) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct synfire_memory_timing {
    pub latency: u32,
    pub spread: u32,
    pub pause: u32,
    pub unused: u32,
    pub seed: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of synfire_memory_timing"][::std::mem::size_of::<synfire_memory_timing>() - 24usize];
    ["Alignment of synfire_memory_timing"][::std::mem::align_of::<synfire_memory_timing>() - 8usize];
    ["Offset of field: synfire_memory_timing::latency"]
        [::std::mem::offset_of!(synfire_memory_timing, latency) - 0usize];
    ["Offset of field: synfire_memory_timing::spread"][::std::mem::offset_of!(synfire_memory_timing, spread) - 4usize];
    ["Offset of field: synfire_memory_timing::pause"][::std::mem::offset_of!(synfire_memory_timing, pause) - 8usize];
    ["Offset of field: synfire_memory_timing::unused"][::std::mem::offset_of!(synfire_memory_timing, unused) - 12usize];
    ["Offset of field: synfire_memory_timing::seed"][::std::mem::offset_of!(synfire_memory_timing, seed) - 16usize];
};
#[repr(C)]
#[derive(Debug)]
pub struct synfire_sim {
    _unused: [u8; 0],
}
pub struct SynfireSim {
    __library: ::libloading::Library,
    pub synfire_abi: unsafe extern "C" fn() -> u32,
    pub synfire_create: unsafe extern "C" fn(
        folder: *const ::std::os::raw::c_char,
        seed: u32,
        error: *mut ::std::os::raw::c_char,
        error_bytes: u64,
    ) -> *mut synfire_sim,
    pub synfire_destroy: unsafe extern "C" fn(sim: *mut synfire_sim),
    pub synfire_error: unsafe extern "C" fn(sim: *const synfire_sim) -> *const ::std::os::raw::c_char,
    pub synfire_add_stream: unsafe extern "C" fn(
        sim: *mut synfire_sim,
        scope: *const ::std::os::raw::c_char,
        prefix: *const ::std::os::raw::c_char,
        is_signed: i32,
    ) -> i32,
    pub synfire_set_border: unsafe extern "C" fn(sim: *mut synfire_sim, input: u64, output: u64) -> i32,
    pub synfire_add_core: unsafe extern "C" fn(sim: *mut synfire_sim, scope: *const ::std::os::raw::c_char) -> i32,
    pub synfire_add_memory: unsafe extern "C" fn(
        sim: *mut synfire_sim,
        scope: *const ::std::os::raw::c_char,
        name: *const ::std::os::raw::c_char,
    ) -> i32,
    pub synfire_set_memory: unsafe extern "C" fn(
        sim: *mut synfire_sim,
        words: *const u8,
        count: u64,
        word_bytes: u32,
        timing: *const synfire_memory_timing,
    ) -> i32,
    pub synfire_read: unsafe extern "C" fn(
        sim: *mut synfire_sim,
        memory: u64,
        first_bit: u32,
        number_bits: u32,
        lane_bits: u32,
        lanes: u32,
        count: u64,
        out: *mut i64,
    ) -> i32,
    pub synfire_run: unsafe extern "C" fn(
        sim: *mut synfire_sim,
        beats: *const synfire_beat,
        beat_count: u64,
        drive: *const u8,
        cycles: u64,
        frames: *mut synfire_wires,
    ) -> i64,
    pub synfire_core_counters:
        unsafe extern "C" fn(sim: *mut synfire_sim, core: u64, cycles: *mut synfire_core_cycles) -> i32,
}
impl SynfireSim {
    pub unsafe fn new<P>(path: P) -> Result<Self, ::libloading::Error>
    where
        P: AsRef<::std::ffi::OsStr>,
    {
        let path = path.as_ref();
        let library = unsafe { ::libloading::Library::new(path) }?;
        unsafe { Self::from_library(library) }
    }
    pub unsafe fn from_library<L>(library: L) -> Result<Self, ::libloading::Error>
    where
        L: Into<::libloading::Library>,
    {
        let __library = library.into();
        let synfire_abi = unsafe { __library.get(b"synfire_abi\0") }.map(|sym| *sym)?;
        let synfire_create = unsafe { __library.get(b"synfire_create\0") }.map(|sym| *sym)?;
        let synfire_destroy = unsafe { __library.get(b"synfire_destroy\0") }.map(|sym| *sym)?;
        let synfire_error = unsafe { __library.get(b"synfire_error\0") }.map(|sym| *sym)?;
        let synfire_add_stream = unsafe { __library.get(b"synfire_add_stream\0") }.map(|sym| *sym)?;
        let synfire_set_border = unsafe { __library.get(b"synfire_set_border\0") }.map(|sym| *sym)?;
        let synfire_add_core = unsafe { __library.get(b"synfire_add_core\0") }.map(|sym| *sym)?;
        let synfire_add_memory = unsafe { __library.get(b"synfire_add_memory\0") }.map(|sym| *sym)?;
        let synfire_set_memory = unsafe { __library.get(b"synfire_set_memory\0") }.map(|sym| *sym)?;
        let synfire_read = unsafe { __library.get(b"synfire_read\0") }.map(|sym| *sym)?;
        let synfire_run = unsafe { __library.get(b"synfire_run\0") }.map(|sym| *sym)?;
        let synfire_core_counters = unsafe { __library.get(b"synfire_core_counters\0") }.map(|sym| *sym)?;
        Ok(SynfireSim {
            __library,
            synfire_abi,
            synfire_create,
            synfire_destroy,
            synfire_error,
            synfire_add_stream,
            synfire_set_border,
            synfire_add_core,
            synfire_add_memory,
            synfire_set_memory,
            synfire_read,
            synfire_run,
            synfire_core_counters,
        })
    }
    pub unsafe fn synfire_abi(&self) -> u32 {
        unsafe { (self.synfire_abi)() }
    }
    pub unsafe fn synfire_create(
        &self,
        folder: *const ::std::os::raw::c_char,
        seed: u32,
        error: *mut ::std::os::raw::c_char,
        error_bytes: u64,
    ) -> *mut synfire_sim {
        unsafe { (self.synfire_create)(folder, seed, error, error_bytes) }
    }
    pub unsafe fn synfire_destroy(&self, sim: *mut synfire_sim) {
        unsafe { (self.synfire_destroy)(sim) }
    }
    pub unsafe fn synfire_error(&self, sim: *const synfire_sim) -> *const ::std::os::raw::c_char {
        unsafe { (self.synfire_error)(sim) }
    }
    pub unsafe fn synfire_add_stream(
        &self,
        sim: *mut synfire_sim,
        scope: *const ::std::os::raw::c_char,
        prefix: *const ::std::os::raw::c_char,
        is_signed: i32,
    ) -> i32 {
        unsafe { (self.synfire_add_stream)(sim, scope, prefix, is_signed) }
    }
    pub unsafe fn synfire_set_border(&self, sim: *mut synfire_sim, input: u64, output: u64) -> i32 {
        unsafe { (self.synfire_set_border)(sim, input, output) }
    }
    pub unsafe fn synfire_add_core(&self, sim: *mut synfire_sim, scope: *const ::std::os::raw::c_char) -> i32 {
        unsafe { (self.synfire_add_core)(sim, scope) }
    }
    pub unsafe fn synfire_add_memory(
        &self,
        sim: *mut synfire_sim,
        scope: *const ::std::os::raw::c_char,
        name: *const ::std::os::raw::c_char,
    ) -> i32 {
        unsafe { (self.synfire_add_memory)(sim, scope, name) }
    }
    pub unsafe fn synfire_set_memory(
        &self,
        sim: *mut synfire_sim,
        words: *const u8,
        count: u64,
        word_bytes: u32,
        timing: *const synfire_memory_timing,
    ) -> i32 {
        unsafe { (self.synfire_set_memory)(sim, words, count, word_bytes, timing) }
    }
    pub unsafe fn synfire_read(
        &self,
        sim: *mut synfire_sim,
        memory: u64,
        first_bit: u32,
        number_bits: u32,
        lane_bits: u32,
        lanes: u32,
        count: u64,
        out: *mut i64,
    ) -> i32 {
        unsafe { (self.synfire_read)(sim, memory, first_bit, number_bits, lane_bits, lanes, count, out) }
    }
    pub unsafe fn synfire_run(
        &self,
        sim: *mut synfire_sim,
        beats: *const synfire_beat,
        beat_count: u64,
        drive: *const u8,
        cycles: u64,
        frames: *mut synfire_wires,
    ) -> i64 {
        unsafe { (self.synfire_run)(sim, beats, beat_count, drive, cycles, frames) }
    }
    pub unsafe fn synfire_core_counters(
        &self,
        sim: *mut synfire_sim,
        core: u64,
        cycles: *mut synfire_core_cycles,
    ) -> i32 {
        unsafe { (self.synfire_core_counters)(sim, core, cycles) }
    }
}
