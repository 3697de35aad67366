//! A page that follows a run directory: what is there is looked at again and again, and shown when it has changed.
//!
//! Owns when that is. [`view`] reads the directory, [`server`] answers the browser. Nothing of a run
//! that goes on is changed.

mod server;
mod view;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::error::CommandError;
use crate::settings::Settings;
use view::{Progress, State};

pub use server::Server;

/// The page asks as often.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Said of what is shown then, and lists what is missing.
const KILLED: &str = "The run did not end: its podcov was killed";

/// What the browser gets.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Rises with every change. 0 until there is something to show.
    version: u64,
    page: Bytes,
    /// When the newest data was written.
    newest: Option<SystemTime>,
    /// The run goes on.
    is_running: bool,
    /// Why the page is not what is in the directory now.
    problem: Option<String>,
}

/// Looks at the directory until this is dropped, and tells what is to be shown.
pub fn follow(
    directory: PathBuf,
    settings: Settings,
) -> (impl Future<Output = Result<(), CommandError>>, watch::Receiver<Arc<Shown>>) {
    let (sender, receiver) = watch::channel(Arc::new(Shown::default()));
    let following = async move {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        let settings = Arc::new(settings);
        loop {
            ticks.tick().await;
            let (path, settings) = (directory.clone(), Arc::clone(&settings));
            let before = Arc::clone(&sender.borrow());
            let known = seen;
            let looked = tokio::task::spawn_blocking(move || {
                let state = State::of(&path);
                (known != Some(state)).then(|| (state, next(&before, &path, &settings, state)))
            });
            let looked =
                looked.await.map_err(|error| CommandError::failure("cannot look").caused_by(error))?;
            if let Some((state, shown)) = looked {
                seen = Some(state);
                sender.send_replace(Arc::new(shown));
            }
        }
    };
    (following, receiver)
}

/// What is shown after a change. Where nothing can be read, that is said, and what was shown before stays.
fn next(before: &Shown, path: &std::path::Path, settings: &Settings, state: State) -> Shown {
    let version = before.version + 1;
    match view::render(path, settings, version, state) {
        Ok(Some((page, progress))) => Shown {
            version,
            page: page.into(),
            newest: state.newest,
            is_running: progress == Progress::Running,
            problem: (progress == Progress::Killed).then(|| KILLED.to_owned()),
        },
        result => {
            let problem = match result {
                Err(error) => error.messages().join(": "),
                Ok(_) => format!("There is no run in {}", path.display()),
            };
            if before.version > 0 {
                return Shown { problem: Some(problem), ..before.clone() };
            }
            let page = view::render_empty(version).unwrap_or_default();
            Shown { version, page: page.into(), problem: Some(problem), ..Shown::default() }
        }
    }
}
