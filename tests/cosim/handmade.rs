//! The co-simulation on a design written by hand: Verilator, the compiler, the cache, the C interface, the lock-step run and what it
//! says when something differs.

#[path = "../cosim_handmade/tiny.rs"]
mod tiny;

use std::path::{Path, PathBuf};
use synfire::cosim::{CoreCycles, Library, Mismatch, Outcome, Pattern, Place, Report, Settings, Simulation, Toolchain};
use synfire::error::Kind;
use synfire::fixed::arg_max;
use synfire::golden::cycle::State;
use synfire::ir::mapped::UnitId;
use tempfile::TempDir;
use tiny::{Lie, Model, N, START, Start};

/// The tools with a cache of this test binary's own; `None`, after saying so, where they are missing.
fn toolchain() -> Option<Toolchain> {
    match Toolchain::find() {
        Ok(found) => Some(Toolchain { cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache"), ..found }),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("ignored: {error}");
            None
        }
    }
}

fn design(edit: impl Fn(&str, String) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tiny::write(folder.path(), START, edit);
    folder
}

fn unchanged(_: &str, text: String) -> String {
    text
}

/// Replaces text in one file; it must be there.
fn replacing<'a>(file: &'a str, from: &'a str, to: &'a str) -> impl Fn(&str, String) -> String + 'a {
    move |name, text| {
        if name != file {
            return text;
        }
        assert!(text.contains(from), "{file} has no {from}");
        text.replace(from, to)
    }
}

/// Images that differ in every pixel from one to the next, a zero here and there.
fn images(count: usize) -> Vec<Vec<i64>> {
    (0..count).map(|image| (0..N).map(|n| ((image * 7 + n * 5) % 16) as i64).collect()).collect()
}

fn logits(image: &[i64], start: Start) -> Vec<i64> {
    image.iter().map(|code| start.logits - (start.hidden + code)).collect()
}

fn run(library: &Library, folder: &Path, images: &Vec<Vec<i64>>, lie: Lie, settings: &Settings) -> Outcome {
    let net = tiny::net();
    let mut simulation = Simulation::new(library, folder, &net, settings.seed).unwrap();
    let mut model = Model::new(START, lie);
    synfire::cosim::run(&net, &mut simulation, &mut model, images, settings, &mut |_| {}).unwrap()
}

#[test]
fn model_and_design_agree_under_every_pattern() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let images = images(60);
    let patterns = [Pattern::Always, Pattern::Random { percent: 30 }, Pattern::Bursts, Pattern::LongStalls];
    let mut cycles = Vec::new();
    for (i, input) in patterns.into_iter().enumerate() {
        for (j, output) in patterns.into_iter().enumerate() {
            let seed = (10 * i + j) as u64;
            let settings = Settings { seed, input, output, disturb: 37 * seed, ..Settings::default() };
            let outcome = run(&library, folder.path(), &images, Lie::None, &settings);
            assert_eq!(outcome.mismatch, None, "{input} {output}");
            assert_eq!(outcome.mismatches, 0);
            assert_eq!(outcome.images, 60);
            for (image, got) in images.iter().zip(&outcome.logits) {
                assert_eq!(*got, logits(image, START));
            }
            cycles.push(outcome.cycles);
        }
    }
    assert!(cycles[1..].iter().all(|&c| c > cycles[0]), "back-pressure costs cycles: {cycles:?}");
}

#[test]
fn counts_are_those_of_the_stimulus() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let (net, images) = (tiny::net(), images(20));
    let mut simulation = Simulation::new(&library, folder.path(), &net, 5).unwrap();
    let mut seen = vec![Vec::new(); 3];
    let outcome = synfire::cosim::run(
        &net,
        &mut simulation,
        &mut Model::new(START, Lie::None),
        &images,
        &Settings::default(),
        &mut |counts| {
            assert_eq!((counts.image, counts.phase), (seen[counts.population.0].len(), 0));
            seen[counts.population.0].push(counts.values.to_vec());
        },
    )
    .unwrap();
    assert_eq!(seen[0], images);
    assert_eq!(seen[2], images.iter().map(|image| logits(image, START)).collect::<Vec<_>>());
    let pixels = images.iter().flatten().filter(|&&code| code != 0).count() as u64;
    assert_eq!(outcome.streams[0].events, pixels);
    assert_eq!(outcome.streams[0].passes, images.iter().flatten().map(|c| u64::from(c.count_ones())).sum::<u64>());
    assert_eq!(outcome.streams[1].events, 20 * N as u64);
    assert_eq!(outcome.streams.iter().map(|s| s.ends).collect::<Vec<_>>(), [20, 20, 20]);
    // Taking a beat and firing a neuron are a cycle each. The first core waits a cycle for every hidden beat that the second refuses.
    assert_eq!(outcome.cores[0].active, pixels + 20 + 20 * N as u64);
    assert_eq!(outcome.cores[1], CoreCycles { active: 2 * 20 * N as u64 + 20, stalled: 0 });

    let labels: Vec<usize> = seen[2].iter().filter_map(arg_max).collect();
    let report = Report::new(&net, &outcome, Some(&labels));
    assert_eq!((report.accuracy, report.images, report.mismatches), (Some(1.0), 20, 0));
    assert_eq!(report.layers[0].bound_cycles, pixels * 2 + 20 * 2 * 4);
    let json = serde_json::to_value(&report).unwrap();
    for key in [
        "images",
        "cycles",
        "compared_signals",
        "mismatches",
        "loihi_mismatches",
        "accuracy",
        "cycles_per_image",
        "cycles_per_second",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    for key in ["name", "mode", "lanes", "cycles", "bound_cycles"] {
        assert!(json["layers"][0].get(key).is_some(), "{key}");
    }
}

/// The mismatch that `lie` leads to, with images whose second is the one lied about.
fn caught(lie: Lie, settings: &Settings) -> Option<Mismatch> {
    let tools = toolchain()?;
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let outcome = run(&library, folder.path(), &images(64), lie, settings);
    assert!(outcome.mismatches > 0);
    Some(outcome.mismatch.expect("the lie is found"))
}

#[test]
fn a_wrong_event_is_located() {
    let settings = Settings { command: "synfire cosim d".into(), ..Settings::default() };
    let Some(found) = caught(Lie::Event { image: 4, neuron: 6 }, &settings) else { return };
    assert_eq!(found.place, Place::Stream { stream: "hidden".into() });
    assert_eq!((found.layer.as_str(), found.image, found.phase, found.neuron), ("hidden layer", 4, 0, Some(6)));
    let value = START.hidden + images(64)[4][6];
    assert_eq!(found.got, format!("valid=1 ready=1 event value={value} id=6"));
    assert_eq!(found.expected, format!("valid=1 ready=1 event value={} id=6", value + 1));
    assert_eq!(found.reproduce, "synfire cosim d --limit 6");
    let error = found.to_error();
    assert_eq!(error.kind, Kind::Mismatch);
    for part in ["stream hidden", "'hidden layer'", "image 4", "neuron 6", "--limit 6"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}

#[test]
fn a_wrong_membrane_is_located() {
    let Some(found) = caught(Lie::Membrane { image: 2, neuron: 8 }, &Settings::default()) else { return };
    assert_eq!(found.place, Place::State { state: State::Membrane, unit: "logits".into(), moment: "began" });
    assert_eq!((found.layer.as_str(), found.image, found.neuron), ("answer", 2, Some(8)));
    let value = logits(&images(64)[2], START)[8];
    assert_eq!((found.expected, found.got), (format!("membrane {}", value - 1), format!("membrane {value}")));
}

#[test]
fn a_wrong_ready_is_blamed_on_the_reader() {
    let Some(found) = caught(Lie::Ready { cycle: 300 }, &Settings::default()) else { return };
    assert_eq!(found.cycle, 300);
    assert_eq!(found.place, Place::Stream { stream: "pixels".into() });
    assert_eq!((found.layer.as_str(), found.neuron), ("hidden layer", None));
}

#[test]
fn a_wrong_count_of_cycles_is_found() {
    let Some(found) = caught(Lie::Counter, &Settings::default()) else { return };
    assert_eq!(found.place, Place::Counter { unit: "hidden".into() });
}

#[test]
fn faults_in_the_verilog_are_found() {
    let Some(tools) = toolchain() else { return };
    let faults = [
        // A sum that is off by one for one neuron.
        ("sf_event_core.v", "? membrane + change", "? membrane + change + {7'd0, n_q == 4'd0 && in_id_i == 4'd5}"),
        // A wrong top: the border is not connected to the core.
        ("tiny.v", "assign out_id_o       = s_logits_id", "assign out_id_o       = s_logits_id ^ 4'd1"),
        // A state register that a reset forgets.
        ("sf_event_core.v", "      n_q     <= 4'd0;\n    end else", "    end else"),
    ];
    for (file, from, to) in faults {
        let fault = replacing(file, from, to);
        let folder = design(|name, text| {
            let text = fault(name, text);
            // The first fault is for the narrower of the two cores only.
            if to.contains("7'd0") { text.replace("{7'd0", "{{(MembraneBits-1){1'b0}}") } else { text }
        });
        let library = tools.build(folder.path(), "tiny").unwrap();
        let settings = Settings { disturb: 50, ..Settings::default() };
        let outcome = run(&library, folder.path(), &images(64), Lie::None, &settings);
        let found = outcome.mismatch.unwrap_or_else(|| panic!("{to} is not found"));
        if to.contains("d5}") {
            assert_eq!(found.place, Place::State { state: State::Membrane, unit: "hidden".into(), moment: "began" });
            assert_eq!(found.neuron, Some(5));
        }
    }
}

#[test]
fn a_mismatch_leaves_a_waveform() {
    let folder = tempfile::tempdir().unwrap();
    let wave = folder.path().join("mismatch.fst");
    let settings = Settings { wave: Some(wave.clone()), ..Settings::default() };
    let lie = Lie::Event { image: 60, neuron: 3 };
    let Some(found) = caught(lie, &settings) else { return };
    assert_eq!(found.wave.as_deref(), Some(wave.as_path()));
    assert!(found.cycle > 1024, "the ring has gone round: {}", found.cycle);

    let mut waves = wellen::simple::read(&wave).unwrap();
    let times: Vec<u64> = waves.time_table().to_vec();
    assert_eq!(times[times.len() - 289..], (found.cycle - 256..=found.cycle + 32).collect::<Vec<_>>());
    let mut at = |path: &[&str], name: &str, cycle: u64| {
        let var = waves.hierarchy().lookup_var(path, name).unwrap_or_else(|| panic!("{path:?} {name}"));
        let signal = waves.hierarchy()[var].signal_ref();
        waves.load_signals(&[signal]);
        let index = times.iter().position(|&t| t == cycle).unwrap();
        let signal = waves.get_signal(signal).unwrap();
        let offset = signal.get_offset(u32::try_from(index).unwrap()).unwrap();
        signal.get_value_at(&offset, 0).to_string()
    };
    let value = START.hidden + images(64)[60][3];
    for (side, value) in [("rtl", value), ("model", value + 1)] {
        assert_eq!(at(&[side, "hidden"], "valid", found.cycle), "1");
        assert_eq!(at(&[side, "hidden"], "ready", found.cycle), "1");
        assert_eq!(at(&[side, "hidden"], "last", found.cycle), "0");
        assert_eq!(at(&[side, "hidden"], "value", found.cycle), format!("{value:07b}"));
        assert_eq!(at(&[side, "hidden"], "id", found.cycle), "0011");
        assert_eq!(at(&[side, "logits"], "value", found.cycle), "x".repeat(10));
    }
    assert_eq!(at(&[], "differs", found.cycle), "1");
    assert_eq!(at(&[], "differs", found.cycle - 1), "0");
    assert_eq!(at(&[], "cycle", found.cycle), format!("{:064b}", found.cycle));
}

/// The error of the waveform replaced what had been found.
#[test]
fn a_waveform_that_cannot_be_written_does_not_hide_the_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { wave: Some(folder.path().to_path_buf()), ..Settings::default() };
    let Some(found) = caught(Lie::Event { image: 4, neuron: 6 }, &settings) else { return };
    assert_eq!((found.image, found.neuron, &found.wave), (4, Some(6), &None));
    assert!(!found.reproduce.is_empty());
    let why = found.no_wave.as_ref().unwrap();
    assert!(why.contains("cannot write the waveform") && found.to_string().contains(why.as_str()), "{found}");
}

fn membranes_before_reset(library: &Library, folder: &Path, seed: u64) -> Vec<Vec<i64>> {
    let mut simulation = Simulation::new(library, folder, &tiny::net(), seed).unwrap();
    (0..2)
        .map(|unit| {
            let mut membranes = Vec::new();
            simulation.state(UnitId(unit), State::Membrane, &mut membranes).unwrap();
            membranes
        })
        .collect()
}

#[test]
fn the_seed_decides_what_an_uninitialised_memory_holds() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let states: Vec<_> = (0..4).map(|seed| membranes_before_reset(&library, folder.path(), seed)).collect();
    assert_eq!(states[1], membranes_before_reset(&library, folder.path(), 1));
    for (i, state) in states.iter().enumerate() {
        assert!(!states[..i].contains(state), "seed {i} gives what another gave");
        for (membranes, limit) in state.iter().zip([1 << 7, 1 << 9]) {
            assert!(membranes.iter().any(|&m| m != membranes[0]), "{membranes:?}");
            assert!(membranes.iter().all(|m| (-limit..limit).contains(m)), "{membranes:?}");
        }
    }
}

#[test]
fn two_designs_run_side_by_side() {
    let Some(tools) = toolchain() else { return };
    // The second has the wrong sign in its second core.
    let folders = [design(unchanged), design(replacing("core_logits.v", ".Sign(0)", ".Sign(1)"))];
    let libraries: Vec<_> = folders.iter().map(|f| tools.build(f.path(), "tiny").unwrap()).collect();
    assert_ne!(libraries[0].path(), libraries[1].path());
    for _ in 0..2 {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = libraries
                .iter()
                .zip(&folders)
                .map(|(l, f)| scope.spawn(|| run(l, f.path(), &images(50), Lie::None, &Settings::default())))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(outcomes[0].mismatch, None);
        let found = outcomes[1].mismatch.as_ref().unwrap();
        assert_eq!(found.place, Place::State { state: State::Membrane, unit: "logits".into(), moment: "began" });
    }
}

#[test]
fn a_second_build_runs_no_compiler_and_other_weights_need_none() {
    let Some(tools) = toolchain() else { return };
    let scratch = tempfile::tempdir().unwrap();
    // A compiler that keeps a record of its calls.
    let (compiler, record) = (scratch.path().join("c++"), scratch.path().join("calls"));
    let real = tools.compiler.program.display();
    let script = format!("#!/bin/sh\necho call >> '{}'\nexec '{real}' \"$@\"\n", record.display());
    std::fs::write(&compiler, script).unwrap();
    make_executable(&compiler);
    let mut tools = tools;
    tools.compiler.program = compiler;
    let calls = || std::fs::read_to_string(&record).map_or(0, |text| text.lines().count());

    // A comment that no earlier run has compiled.
    let nonce = format!("// {}\n", scratch.path().display());
    let edit = |name: &str, text: String| if name == "tiny.v" { nonce.clone() + &text } else { text };
    let folder = design(edit);
    assert!(!tools.build(folder.path(), "tiny").unwrap().cached());
    let first = calls();
    assert!(first >= 2, "{first} calls");
    assert!(tools.build(folder.path(), "tiny").unwrap().cached());

    let start = Start { hidden: 1, logits: 44 };
    let other = tempfile::tempdir().unwrap();
    tiny::write(other.path(), start, edit);
    let library = tools.build(other.path(), "tiny").unwrap();
    assert!(library.cached());
    assert_eq!(calls(), first);
    let (net, images) = (tiny::net(), images(3));
    let mut simulation = Simulation::new(&library, other.path(), &net, 1).unwrap();
    let mut model = Model::new(start, Lie::None);
    let settings = Settings::default();
    let outcome = synfire::cosim::run(&net, &mut simulation, &mut model, &images, &settings, &mut |_| {}).unwrap();
    assert_eq!(outcome.mismatch, None);
    assert_eq!(outcome.logits[1], logits(&images[1], start));
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn verilog_that_verilator_rejects_is_reported_with_its_messages() {
    let Some(tools) = toolchain() else { return };
    let cache = tempfile::tempdir().unwrap();
    let tools = Toolchain { cache: cache.path().to_path_buf(), ..tools };
    let faults = [
        ("sf_event_core.v", "state_q <= Take;", "state_q <= Take", "syntax error"),
        // Lint: a warning is a failure too.
        ("tiny.v", "wire        [3:0] s_pixels_value;", "wire        [4:0] s_pixels_value;", "WIDTH"),
    ];
    for (file, from, to, message) in faults {
        let folder = design(replacing(file, from, to));
        let error = tools.build(folder.path(), "tiny").unwrap_err();
        assert_eq!(error.kind, Kind::ToolFailed);
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.to_string().contains(&format!("rtl/{file}")), "{error}");
        assert!(
            entries(cache.path()).iter().all(|path| path.to_string_lossy().contains("support-")),
            "nothing is kept"
        );
    }
    let folder = design(unchanged);
    assert!(tools.build(folder.path(), "no_such_top").is_err());
    assert_eq!(tools.build(cache.path(), "tiny").unwrap_err().kind, Kind::Input);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn incomplete_designs_do_not_start() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let fails = |net: &_| Simulation::new(&library, folder.path(), net, 1).map(|_| ()).unwrap_err();

    let mut net = tiny::net();
    net.streams[1].name = "ghost".into();
    assert!(fails(&net).to_string().contains("s_ghost_valid"));
    let mut net = tiny::net();
    net.units[0].name = "ghost".into();
    assert!(fails(&net).to_string().contains("u_ghost"));

    std::fs::write(folder.path().join("mem/logits.hex"), "xyz\n").unwrap();
    assert_eq!(fails(&tiny::net()).kind, Kind::Input);
    std::fs::remove_file(folder.path().join("mem/logits.hex")).unwrap();
    let error = fails(&tiny::net());
    assert_eq!(error.kind, Kind::Input);
    assert!(error.to_string().contains("mem/logits.hex"), "{error}");
}

/// It once did, for a moment: children that other threads started then stood in a folder that soon vanished.
#[cfg(unix)]
#[test]
fn starting_a_simulation_leaves_the_working_directory_alone() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let home = std::env::current_dir().unwrap();
    let done = AtomicBool::new(false);
    let (started, spawned) = std::thread::scope(|scope| {
        let watchers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut spawned = 0;
                    while !done.load(Ordering::Relaxed) || spawned < 20 {
                        assert_eq!(std::env::current_dir().unwrap(), home);
                        let output = std::process::Command::new("pwd").arg("-P").env_remove("PWD").output().unwrap();
                        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), home.to_string_lossy());
                        spawned += 1;
                    }
                    spawned
                })
            })
            .collect();
        let mut started = 0;
        while started < 500 && !watchers.iter().any(|watcher| watcher.is_finished()) {
            // The folder vanishes at the end of each round, as the design of a finished test does.
            let folder = design(unchanged);
            drop(Simulation::new(&library, folder.path(), &tiny::net(), started).unwrap());
            started += 1;
        }
        done.store(true, Ordering::Relaxed);
        (started, watchers.into_iter().map(|watcher| watcher.join().unwrap()).sum::<u64>())
    });
    assert!(started == 500 && spawned >= 60, "{started} simulations beside {spawned} children");
}

#[test]
fn simulations_in_several_threads_read_each_its_own_memory_images() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    std::thread::scope(|scope| {
        for i in 0..4 {
            let library = &library;
            scope.spawn(move || {
                let start = Start { hidden: 1 + i, logits: 40 + i };
                for _ in 0..20 {
                    let folder = tempfile::tempdir().unwrap();
                    tiny::write(folder.path(), start, unchanged);
                    let (net, images) = (tiny::net(), images(2));
                    let mut simulation = Simulation::new(library, folder.path(), &net, 1).unwrap();
                    let mut model = Model::new(start, Lie::None);
                    let settings = Settings::default();
                    let outcome =
                        synfire::cosim::run(&net, &mut simulation, &mut model, &images, &settings, &mut |_| {})
                            .unwrap();
                    assert_eq!(outcome.mismatch, None);
                    assert_eq!(outcome.logits[1], logits(&images[1], start));
                }
            });
        }
    });
}

#[test]
fn a_network_that_is_stuck_is_reported() {
    let Some(tools) = toolchain() else { return };
    let folder = design(replacing("sf_event_core.v", "if (last_n) state_q <= Take;", ""));
    let library = tools.build(folder.path(), "tiny").unwrap();
    let net = tiny::net();
    let mut simulation = Simulation::new(&library, folder.path(), &net, 1).unwrap();
    let mut model = Model::new(START, Lie::Stuck);
    let settings = Settings::default();
    let error = synfire::cosim::run(&net, &mut simulation, &mut model, &images(2), &settings, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind, Kind::Internal);
    assert!(error.to_string().contains("nothing moves"), "{error}");
}

#[test]
fn images_of_the_wrong_size_are_refused() {
    let Some(tools) = toolchain() else { return };
    let folder = design(unchanged);
    let library = tools.build(folder.path(), "tiny").unwrap();
    let net = tiny::net();
    let mut simulation = Simulation::new(&library, folder.path(), &net, 1).unwrap();
    let images = vec![vec![1; N], vec![1; N + 1]];
    let mut model = Model::new(START, Lie::None);
    let settings = Settings::default();
    let error = synfire::cosim::run(&net, &mut simulation, &mut model, &images, &settings, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind, Kind::Input);
    assert!(error.to_string().contains("image 1 has 10 pixels"), "{error}");
}
