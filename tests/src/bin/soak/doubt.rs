//! Units of recovery in doubt: prepared, left alone through kills and recoveries, and settled some time.

use std::collections::BTreeSet;

use house::loaded::wait_until;
use house::owner::Owner;
use house::programs::{run, run_with_input};

use crate::choice::Choice;

const QUEUE: &str = "SOAK.DOUBT";

/// Most units in doubt at a time: they hold the log.
const MOST: usize = 3;

/// What was prepared, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    number: u32,
    /// Names of the units in doubt.
    pending: Vec<String>,
    /// Lines that were committed.
    there: BTreeSet<String>,
}

/// Connection and name of each unit in doubt.
fn unresolved(owner: &Owner) -> Vec<(String, String)> {
    let said = owner.mqsc("DISPLAY CONN(*) TYPE(CONN) ALL WHERE(UOWSTATE EQ UNRESOLVED)");
    let values = |keyword: &str| -> Vec<String> {
        let value = |line: &str| {
            line.trim().strip_prefix(keyword)?.strip_prefix('(')?.strip_suffix(')').map(str::to_owned)
        };
        said.out.lines().filter_map(value).collect()
    };
    values("APPLTAG").into_iter().zip(values("NID")).collect()
}

fn settle(owner: &Owner, name: &str, action: &str) {
    let units = unresolved(owner);
    let (connection, _) = units.iter().find(|(_, known)| known == name).expect("it is in doubt");
    owner.mqsc(&format!("RESOLVE INDOUBT({connection}) ACTION({action}) NID({name})")).done();
    wait_until("a unit is settled", || unresolved(owner).iter().all(|(_, known)| known != name));
}

impl Doubt {
    /// Defines the queue.
    pub(crate) fn define(owner: &Owner) {
        owner.mqsc(&format!("DEFINE QLOCAL({QUEUE}) DEFPSIST(YES) REPLACE")).done();
    }

    /// What is in doubt is in doubt, and what was committed is there, and nothing else.
    pub(crate) fn check(&self, owner: &Owner) {
        let names: BTreeSet<String> = unresolved(owner).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, self.pending.iter().cloned().collect(), "units in doubt");
        let there: BTreeSet<String> = owner.browse(QUEUE).into_iter().collect();
        assert_eq!(there, self.there, "messages of units that were in doubt");
    }

    /// Prepares a unit, or settles one.
    pub(crate) fn go_on(&mut self, owner: &Owner, choice: &mut Choice) {
        if self.pending.len() < MOST && choice.once_in(2) {
            self.number += 1;
            let name = format!("SOAK.{}", self.number);
            let put = ["put", owner.name(), QUEUE, "--prepare", &name];
            run_with_input("qmgr", put, format!("{name}\n").as_bytes()).expect(0).done();
            self.pending.push(name);
        } else if !self.pending.is_empty() {
            let name = self.pending.remove(0);
            let commits = choice.once_in(2);
            settle(owner, &name, if commits { "COMMIT" } else { "BACKOUT" });
            if commits {
                self.there.insert(name);
            }
        }
    }

    /// Begins anew, after a recovery to a point in time has changed what was.
    pub(crate) fn forget(&mut self, owner: &Owner) {
        for (_, name) in unresolved(owner) {
            settle(owner, &name, "BACKOUT");
        }
        run("qmgr", ["get", owner.name(), QUEUE]).expect(0).done();
        self.pending.clear();
        self.there.clear();
    }
}
