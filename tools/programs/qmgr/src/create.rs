//! qmgr create.

use std::io::Read;
use std::path::Path;

use console::{Failure, Outcome, Session, now};
use engine_queue_manager::NewQueueManager;
use engine_storage::RealStorage;
use format_types::{ConditionCode, QueueManagerId, QueueManagerName};
use serde::Serialize;

use crate::args::{Copies, Create};

#[derive(Serialize)]
struct Created {
    queue_manager: QueueManagerName,
    id: QueueManagerId,
    directory: String,
    page_sets: u8,
    page_set_size: u64,
    log_size: u64,
    active_logs: u16,
    dual_logs: bool,
    dual_archives: bool,
}

pub(crate) fn create(arguments: &Create, session: &mut Session) -> Outcome {
    let dir = &arguments.at.directory;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => name_of(dir)?,
    };
    let new = NewQueueManager {
        name,
        page_sets: arguments.page_sets,
        page_set_size: arguments.page_set_size.0,
        expand: arguments.expand.into(),
        log_size: arguments.log_size.0,
        active_logs: arguments.active_logs,
        dual_logs: arguments.logs == Copies::Dual,
        dual_archives: arguments.archives == Copies::Dual,
        buffer_pool: arguments.buffer_pool.0,
        log_load: arguments.log_load,
        random: random()?,
    };
    engine_queue_manager::create(&RealStorage::shared(), dir, &new, now()).map_err(Failure::of)?;
    let created = Created {
        queue_manager: new.name.clone(),
        id: QueueManagerId(new.random[0]),
        directory: dir.display().to_string(),
        page_sets: new.page_sets,
        page_set_size: new.page_set_size,
        log_size: new.log_size,
        active_logs: new.active_logs,
        dual_logs: new.dual_logs,
        dual_archives: new.dual_archives,
    };
    session.answer(&created, || {
        vec![format!("HWT710I {} QUEUE MANAGER CREATED IN {}", new.name, dir.display())]
    });
    Ok(ConditionCode::Done)
}

/// The directory's name as the queue manager's.
fn name_of(dir: &Path) -> Result<QueueManagerName, Failure> {
    let base = dir.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
    base.parse().map_err(|error| {
        Failure::refused("HWT711E", error)
            .hint("give the queue manager a name with --name, 1 to 4 characters")
    })
}

/// 128 bits from the system.
pub(crate) fn random() -> Result<[u64; 2], Failure> {
    let mut bytes = [0; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| Failure::refused("HWT712E", format!("/dev/urandom cannot be read: {error}")))?;
    let all = u128::from_be_bytes(bytes);
    Ok([(all >> 64) as u64, all as u64])
}
