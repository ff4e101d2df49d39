//! What must not outlive the process: temporary files and folders, and the programs that it runs. A signal that ends the process
//! (interrupt, termination) removes and kills them first.

mod file;

pub use file::{check_whole, write_whole};

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Programs may still be writing while their folders go: so many attempts, so far apart.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);

static PATHS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// From now on interrupt and termination clean up. Without success they end the process as ever.
#[cfg(unix)]
pub fn install() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            clean_up();
            // Ends the process as the signal itself would have. If that fails, so does everything that comes now.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            std::process::exit(128 + signal);
        }
    };
    let _ = std::thread::Builder::new().name("interrupts".into()).spawn(wait);
}

/// Elsewhere nothing is known about signals.
#[cfg(not(unix))]
pub fn install() {}

fn lock<T>(set: &'static Mutex<T>) -> MutexGuard<'static, T> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both locks are held to the end, so that nothing new begins in between.
fn clean_up() {
    let groups = lock(&GROUPS);
    groups.iter().for_each(|&leader| kill(leader));
    let paths = lock(&PATHS);
    for path in paths.iter() {
        for _ in 0..ATTEMPTS {
            let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            if gone.is_ok() || std::fs::symlink_metadata(path).is_err() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
    }
    // Never unlocked again: a thread that would begin something new waits for the end of the process.
    std::mem::forget((groups, paths));
}

#[cfg(unix)]
fn kill(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // Fails if the program has just ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill(_: u32) {}

/// A temporary file or folder that goes with the process; what deletes it otherwise is the owner's affair.
pub struct Passing(PathBuf);

impl Passing {
    /// Notes down a path.
    pub fn new(path: &Path) -> Self {
        lock(&PATHS).insert(path.to_path_buf());
        Passing(path.to_path_buf())
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        lock(&PATHS).remove(&self.0);
    }
}

/// A temporary folder that goes when it is dropped or the process is interrupted.
pub struct Folder {
    // Dropped first, so that the path is noted down for as long as the folder is there.
    folder: TempDir,
    passing: Passing,
}

impl Folder {
    /// A folder with a random name that begins with `prefix`, in `parent`.
    pub fn new(prefix: &str, parent: &Path) -> io::Result<Self> {
        // Between the two steps nobody may clean up.
        let mut paths = lock(&PATHS);
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent).map_err(without_path)?;
        paths.insert(folder.path().to_path_buf());
        let passing = Passing(folder.path().to_path_buf());
        Ok(Folder { folder, passing })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder stays, and is whatever it is renamed to.
    pub fn keep(self) {
        let Folder { folder, passing } = self;
        drop(passing);
        drop(folder.keep());
    }

    /// Runs `critical`, which moves something into the folder or out of it: an interruption waits, or has come before.
    pub fn hold<T>(&self, critical: impl FnOnce() -> T) -> T {
        let _paths = lock(&PATHS);
        critical()
    }
}

/// The error of the system alone: `tempfile` adds the random name that it tried, which tells nobody anything.
fn without_path(error: io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// A process group that goes with the process.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        lock(&GROUPS).remove(&self.0);
    }
}

/// A program that runs in a process group of its own, which an interruption kills as a whole.
pub struct Running {
    child: Child,
    group: Group,
}

impl Running {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut groups = lock(&GROUPS);
        let child = command.spawn()?;
        groups.insert(child.id());
        let group = Group(child.id());
        Ok(Running { child, group })
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it and everything that it started.
    pub fn kill(&mut self) {
        kill(self.group.0);
        // Both fail only if the program has just ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end and gives what it printed; standard input is empty.
pub fn output_of(command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Running { child, group } = Running::spawn(command)?;
    let output = child.wait_with_output();
    drop(group);
    output
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_program_is_killed_with_what_it_has_started() {
        let folder = Folder::new("synfire-", &std::env::temp_dir()).unwrap();
        let file = folder.path().join("child");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & echo $! > child.new; mv child.new child; wait"]).current_dir(folder.path());
        let mut program = Running::spawn(&mut command).unwrap();
        let start = Instant::now();
        let child = loop {
            if let Ok(text) = std::fs::read_to_string(&file) {
                break text.trim().to_string();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "the program does not start");
            std::thread::sleep(PAUSE);
        };
        program.kill();
        let alive = || Command::new("sh").args(["-c", &format!("kill -0 {child}")]).output().unwrap().status.success();
        // Whoever inherits the child needs a moment to bury it.
        while alive() {
            let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            if state.contains(") Z ") {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{child} is still alive");
            std::thread::sleep(PAUSE);
        }
    }

    #[test]
    fn a_folder_goes_unless_it_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new("x-", parent.path()).unwrap();
        assert!(lock(&PATHS).contains(folder.path()));
        folder.hold(|| assert!(PATHS.try_lock().is_err(), "nobody may clean up meanwhile"));
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(!path.exists() && !lock(&PATHS).contains(&path));
        let kept = Folder::new("x-", parent.path()).unwrap();
        let path = kept.path().to_path_buf();
        kept.keep();
        assert!(path.is_dir() && !lock(&PATHS).contains(&path));
    }
}
