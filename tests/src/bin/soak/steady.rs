//! The queue manager that runs through while its clients are killed: what it takes must not grow.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use house::loaded::wait_until;
use house::programs::{command, run_with_input};

use crate::args::{Arguments, Plant};
use crate::choice::Choice;
use crate::gauge::descriptors;
use crate::progress::{Progress, Watched, count};
use crate::site::Site;

/// A queue whose messages nobody ever gets or adds to, in the end: whoever tries is killed before it commits.
const HELD: &str = "SOAK.HELD";

/// A client that puts to the held queue, or gets all of it, and does not commit.
fn begin_held(site: &Site<'_>, puts: bool) -> Child {
    let verb = if puts { "put" } else { "get" };
    let mut held = command("qmgr", [verb, site.owner.name(), HELD, "--hold", "600"]);
    let mut child =
        held.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    // It may be refused already, which its end then shows.
    let _ = child.stdin.take().expect("piped").write_all(&b"never committed\n".repeat(50));
    child
}

/// Loads, makes points and audits until told to stop; ends with an audit and a clean stop.
pub(crate) fn run_until_over(
    dir: &Path,
    seed: u64,
    arguments: &Arguments,
    progress: &Progress,
    watched: &Watched,
) {
    let mut choice = Choice::new(seed);
    let mut site = Site::new(dir, arguments.small, progress);
    let mut hoard = Vec::new();
    site.owner.start();
    watched.set(site.owner.pid());
    let kept: Vec<String> = (0..30).map(|number| format!("kept {number}")).collect();
    site.owner.mqsc(&format!("DEFINE QLOCAL({HELD}) DEFPSIST(YES)")).done();
    site.owner.put(HELD, &kept);
    if arguments.plant == Some(Plant::Memory) {
        site.owner.mqsc("DEFINE QLOCAL(SOAK.GROWS) MAXDEPTH(999999999)").done();
    }
    while !progress.is_over() {
        let mut load = site.begin_load(1 + choice.number() % 4, choice.number());
        sleep(choice.time(800));
        let point = choice.once_in(4).then(|| site.begin_point());
        for _ in 0..2 {
            let mut held = begin_held(&site, choice.once_in(2));
            sleep(choice.time(700));
            held.kill().expect("a child can be killed");
            held.wait().expect("a child");
            count(&progress.kills);
        }
        let ended = load.wait().expect("a child");
        assert!(ended.success(), "a load ended with {ended}");
        if let Some((mut child, point)) = point {
            let killed = choice.once_in(4);
            if killed {
                sleep(choice.time(100));
                child.kill().expect("a child can be killed");
                count(&progress.kills);
            }
            site.end_point(child, point, !killed);
        }
        site.audit();
        wait_until("what killed clients held is backed out", || site.owner.browse(HELD) == kept);
        site.end_epoch();
        let open = site.owner.pid().map_or(0, descriptors);
        progress.descriptors.store(open, Ordering::Relaxed);
        match arguments.plant {
            Some(Plant::Descriptors) => {
                hoard.extend((0..2).filter_map(|_| UnixStream::connect(site.owner.file("SOCKET")).ok()));
            }
            Some(Plant::Memory) => {
                let lines: String = (0..160_000).map(|number| format!("{number}\n")).collect();
                let put =
                    ["put", site.owner.name(), "SOAK.GROWS", "--nonpersistent", "--commit-every", "1000"];
                run_with_input("qmgr", put, lines.as_bytes()).expect(0).done();
            }
            None => {}
        }
        sleep(Duration::from_millis(100));
    }
    site.audit();
    watched.set(None);
    drop(hoard);
    site.owner.stop().done();
}
