//! What the machine offers: root, loop devices, small file systems. A test that needs more than there is says so and is skipped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says, past the test runner's capture, that a test is skipped and what would run it. With `HIGHWATER_NO_SKIPS` set, as where the
/// whole gate must run, a skipped test fails instead.
///
/// # Panics
/// When nothing may be skipped.
pub fn skip(test: &str, missing: &str) {
    let line = format!("SKIPPED {test}: {missing}\n");
    // The runner captures what goes through the standard streams' macros; a skip has to be seen all the same.
    let _ = std::io::stderr().write_all(line.as_bytes());
    assert!(std::env::var_os("HIGHWATER_NO_SKIPS").is_none(), "{line}");
}

/// Why a file system cannot be mounted here; none when one can.
#[must_use]
pub fn no_mounts() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it mounts a file system of its own, which needs root".to_owned());
    }
    for tool in ["mount", "umount", "losetup", "mkfs.ext4"] {
        if !on_path(tool) {
            return Some(format!("'{tool}' is missing (Debian: apt-get install util-linux e2fsprogs mount)"));
        }
    }
    let free = Command::new("losetup").arg("--find").output();
    match free {
        Ok(output) if output.status.success() => None,
        _ => Some("there is no free loop device (/dev/loop*)".to_owned()),
    }
}

/// Whether a program of the system can be found, in the places of administrators' programs too.
#[must_use]
pub fn on_path(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| Path::new(dir).join(tool).exists())
}

/// Runs a tool of the system.
///
/// # Panics
/// When it fails.
pub fn system(tool: &str, arguments: &[&str]) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(tool).args(arguments).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Mount {
    at: PathBuf,
}

impl Mount {
    /// A file system in memory of `mebibytes` MiB, mounted at `at`, which is made.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn in_memory(at: &Path, mebibytes: u32) -> Self {
        std::fs::create_dir_all(at).expect("a folder to mount at");
        let size = format!("size={mebibytes}m");
        system("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &at.to_string_lossy()]);
        Self { at: at.to_owned() }
    }

    /// The ext4 file system in the file `image`, mounted at `at`, which is made.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn image(image: &Path, at: &Path) -> Self {
        std::fs::create_dir_all(at).expect("a folder to mount at");
        system("mount", &["-o", "loop", &image.to_string_lossy(), &at.to_string_lossy()]);
        Self { at: at.to_owned() }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn at(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Some tries: a process that was just killed may still be letting go of its files.
        for _ in 0..20 {
            let status = Command::new("umount").arg(&self.at).stderr(std::process::Stdio::null()).status();
            if status.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// A new file of `mebibytes` MiB with an empty ext4 file system in it.
///
/// # Panics
/// When it cannot be made.
pub fn make_ext4(image: &Path, mebibytes: u64) {
    let file = std::fs::File::create(image).expect("an image");
    file.set_len(mebibytes << 20).expect("a sparse image");
    drop(file);
    system("mkfs.ext4", &["-q", "-F", &image.to_string_lossy()]);
}

/// A number from the environment, else `default`: how long or how often a test goes on.
#[must_use]
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
