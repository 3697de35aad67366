//! Ctrl-C, SIGTERM and their like as a value that the whole run shares.
//!
//! Owns the signal handlers. It ends nothing itself: each phase of a run decides what to leave out and what
//! still to do, since data has to be collected and workloads put back after the first one.

use tokio::sync::watch;

use crate::error::{CommandError, ErrorKind};

/// Requests to stop. Cheap to clone; all clones see the same requests.
#[derive(Clone, Debug)]
pub struct Interrupt {
    requests: watch::Receiver<Vec<Signal>>,
}

/// A signal that asks podcov to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal went away.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\: Go programs print all their stacks and end.
    Quit,
    /// Sent by `kill`, a CI system that cancels, or a machine that shuts down.
    Terminate,
}

impl Signal {
    /// POSIX's number, which exit codes are made from on every platform.
    pub fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
        }
    }

    /// As the user knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "Ctrl-C",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
        }
    }
}

impl Interrupt {
    /// Takes the signals over, for the rest of the process. Needs a tokio runtime.
    pub fn install() -> Result<Self, CommandError> {
        let (sender, requests) = watch::channel(Vec::new());
        listen(sender).map_err(|error| CommandError::failure("cannot listen to signals").caused_by(error))?;
        Ok(Self { requests })
    }

    /// Waits until the user has asked to stop; returns at once when that was before.
    pub async fn requested(&self) -> Signal {
        self.request(0).await
    }

    /// Waits for a request by the number of those before it; returns at once when there was one.
    pub async fn request(&self, before: usize) -> Signal {
        let mut requests = self.requests.clone();
        let signal = requests.wait_for(|requests| requests.len() > before).await;
        match signal.ok().and_then(|requests| requests.get(before).copied()) {
            Some(signal) => signal,
            // The sender lives in tasks that never end, so this only happens while the runtime goes away.
            None => std::future::pending().await,
        }
    }

    /// Whether the user has asked to stop.
    pub fn is_requested(&self) -> bool {
        self.requests() > 0
    }

    /// How often the user has asked to stop.
    pub fn requests(&self) -> usize {
        self.requests.borrow().len()
    }

    /// The first signal that asked to stop.
    pub fn signal(&self) -> Option<Signal> {
        self.requests.borrow().first().copied()
    }

    /// An error for phases that an interruption ends.
    pub fn check(&self) -> Result<(), CommandError> {
        match self.signal() {
            Some(signal) => Err(interrupted(signal)),
            None => Ok(()),
        }
    }

    /// `work`, unless the user asks to stop before it is done.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, CommandError> {
        tokio::select! {
            biased;
            signal = self.requested() => Err(interrupted(signal)),
            value = work => Ok(value),
        }
    }

    /// For tests: an interrupt that is asked for through the returned function.
    #[cfg(test)]
    pub fn by_hand() -> (Self, impl Fn(Signal)) {
        let (sender, requests) = watch::channel(Vec::new());
        (Self { requests }, move |signal| note(&sender, signal))
    }
}

fn interrupted(signal: Signal) -> CommandError {
    CommandError::new(ErrorKind::Interrupted(signal), format!("stopped by {}", signal.name()))
}

fn note(sender: &watch::Sender<Vec<Signal>>, signal: Signal) {
    sender.send_modify(|requests| requests.push(signal));
}

#[cfg(unix)]
fn listen(sender: watch::Sender<Vec<Signal>>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let sender = std::sync::Arc::new(sender);
    for (kind, meaning) in [
        (SignalKind::hangup(), Signal::Hangup),
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::quit(), Signal::Quit),
        (SignalKind::terminate(), Signal::Terminate),
    ] {
        let mut stream = signal(kind)?;
        let sender = std::sync::Arc::clone(&sender);
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                note(&sender, meaning);
            }
        });
    }
    Ok(())
}

#[cfg(windows)]
fn listen(sender: watch::Sender<Vec<Signal>>) -> std::io::Result<()> {
    let mut control_c = tokio::signal::windows::ctrl_c()?;
    let mut control_break = tokio::signal::windows::ctrl_break()?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = control_c.recv() => note(&sender, Signal::Interrupt),
                Some(()) = control_break.recv() => note(&sender, Signal::Terminate),
                else => break,
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_request_is_told_from_the_first() {
        let (interrupt, ask) = Interrupt::by_hand();
        assert!(!interrupt.is_requested());
        ask(Signal::Interrupt);
        assert_eq!(interrupt.requested().await, Signal::Interrupt);

        let again = interrupt.request(interrupt.requests());
        tokio::pin!(again);
        assert!(futures_are_pending(again.as_mut()).await);
        ask(Signal::Terminate);
        assert_eq!(again.await, Signal::Terminate);
        // However late one asks, none is lost.
        assert_eq!(interrupt.request(1).await, Signal::Terminate);
        assert_eq!(interrupt.signal(), Some(Signal::Interrupt));
    }

    #[tokio::test]
    async fn work_is_left_when_asked_to_stop() {
        let (interrupt, ask) = Interrupt::by_hand();
        assert_eq!(interrupt.or(async { 7 }).await.unwrap(), 7);
        ask(Signal::Terminate);
        let error = interrupt.or(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(error.kind().exit_code().number(), 143);
    }

    async fn futures_are_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
        let mut future = Some(future);
        std::future::poll_fn(move |context| {
            let pending = future.take().is_some_and(|future| future.poll(context).is_pending());
            std::task::Poll::Ready(pending)
        })
        .await
    }
}
