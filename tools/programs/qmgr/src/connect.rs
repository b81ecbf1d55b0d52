//! The connection to a running queue manager.

use std::path::Path;

use console::{Failure, Session};
use engine_queue_manager::client::{Client, ClientError};
use format_protocol::{Reply, Request};

/// A connection under a name of the command's own.
pub(crate) fn connect(dir: &Path, application: &str, session: &Session) -> Result<Client, Failure> {
    Client::connect(dir, application, session.common.timeout).map_err(failure)
}

/// Sends a request.
pub(crate) fn call(client: &mut Client, request: &Request) -> Result<Reply, Failure> {
    client.call(request).map_err(failure)
}

/// Why a talk failed, as a program's end.
pub(crate) fn failure(error: ClientError) -> Failure {
    let code = error.code();
    Failure::of(error).with_code(code)
}

/// The answer was of another kind than the request's.
pub(crate) fn unexpected(request: &str) -> Failure {
    Failure::refused("HWT705E", format!("UNEXPECTED ANSWER to {request}"))
        .hint("use programs of the queue manager's release")
}
