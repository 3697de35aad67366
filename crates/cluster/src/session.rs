//! Preparing workloads for one run.

use std::time::Duration;

use crate::{
    Connection, Error, Event, Kind, Observer, PreparedRun, Workload, agent_config_map,
    bare_pod::{self, Original},
    injection::{self, Injected, Injection},
    prepared_run::too_many_conflicts,
    rollout::{self, Goal},
};

const MAX_CONFLICTS: usize = 20;

/// How workloads are prepared.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// What is put into them.
    pub injection: Injection,
    /// Take a workload over that another run has prepared.
    pub take_over: bool,
    /// The user agrees that bare Pods are deleted and created again.
    pub recreate_pods: bool,
}

/// One run's way into the cluster.
pub struct Session<'a> {
    connection: &'a Connection,
    options: SessionOptions,
    observer: &'a dyn Observer,
}

/// A workload that is prepared.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The workload.
    pub workload: Workload,
    /// Its captured containers.
    pub containers: Vec<String>,
    /// Those of them that the agent supervises.
    pub supervised: Vec<String>,
}

impl Prepared {
    fn new(workload: Workload, injected: Injected) -> Self {
        Self { workload, containers: injected.containers, supervised: injected.supervised }
    }

    /// How its containers are captured: `supervised`, `files`, or `supervised; proxy from files`.
    #[must_use]
    pub fn ways(&self) -> String {
        injection::ways(&self.containers, &self.supervised)
    }
}

impl<'a> Session<'a> {
    /// Nothing is contacted yet.
    #[must_use]
    pub fn new(connection: &'a Connection, options: SessionOptions, observer: &'a dyn Observer) -> Self {
        Self { connection, options, observer }
    }

    /// Finds what stands in the way, before anything is changed.
    pub fn check(&self, workloads: &[Workload]) -> Result<(), Error> {
        for workload in workloads {
            if workload.is_paused() {
                return Err(Error::Paused(workload.display_name()));
            }
            if workload.wanted_pods() == 0 {
                return Err(Error::ScaledToZero(workload.display_name()));
            }
            if workload.kind() == Kind::Pod && !self.options.recreate_pods {
                return Err(Error::PodMustBeRecreated(workload.display_name()));
            }
            self.injected(workload)?;
        }
        Ok(())
    }

    /// Prepares the workloads one after the other. After an error, those before it are prepared.
    pub async fn prepare(&self, workloads: &[Workload], agent: &[u8]) -> Result<Vec<Prepared>, Error> {
        agent_config_map::create(self.connection, &self.options.injection.run, agent).await?;
        let mut prepared = Vec::new();
        for workload in workloads {
            prepared.push(if workload.kind() == Kind::Pod {
                self.prepare_pod(workload).await?
            } else {
                self.prepare_workload(workload).await?
            });
        }
        Ok(prepared)
    }

    /// Waits until every pod of them is prepared and ready.
    pub async fn wait_until_ready(&self, prepared: &[Prepared], timeout: Duration) -> Result<(), Error> {
        let workloads: Vec<Workload> = prepared.iter().map(|prepared| prepared.workload.clone()).collect();
        rollout::wait(self.connection, &workloads, &self.goal(), timeout, self.observer).await
    }

    fn goal(&self) -> Goal {
        Goal::Prepared(self.options.injection.run.clone())
    }

    fn injected(&self, workload: &Workload) -> Result<Injected, Error> {
        let mut value = workload.value();
        if self.options.take_over && workload.preparation().is_some() {
            value = injection::eject(&value).map_err(|error| workload.injection_error(error))?;
        }
        injection::inject(&value, &self.options.injection).map_err(|error| workload.injection_error(error))
    }

    fn note(&self, workload: &Workload, notes: &[String]) {
        for note in notes {
            self.observer.event(Event::Note(format!("{}: {note}", workload.display_name())));
        }
    }

    async fn prepare_workload(&self, workload: &Workload) -> Result<Prepared, Error> {
        for _ in 0..MAX_CONFLICTS {
            let current = Workload::get(self.connection, workload.kind(), &workload.name()).await?;
            let is_ours = current
                .preparation()
                .is_some_and(|preparation| preparation.run == self.options.injection.run);
            if is_ours {
                // An answer was lost on the way, and the request was sent again.
                return Ok(Prepared::new(current, self.injected(workload)?));
            }
            let injected = self.injected(&current)?;
            if let Some(changed) = current.replace(self.connection, &injected.object).await? {
                self.note(workload, &injected.notes);
                rollout::replace_pods(self.connection, &changed, &self.goal()).await?;
                return Ok(Prepared::new(changed, injected));
            }
        }
        Err(too_many_conflicts(workload))
    }

    async fn prepare_pod(&self, workload: &Workload) -> Result<Prepared, Error> {
        let mut workload = workload.clone();
        if let Some(preparation) = workload.preparation() {
            if !self.options.take_over {
                return Err(workload.already_prepared_by(preparation));
            }
            for other in PreparedRun::find(self.connection, Some(&preparation.run)).await? {
                if let Some(other) = other.restricted_to(std::slice::from_ref(&workload)) {
                    other.put_back(self.connection, self.observer).await?;
                }
            }
            workload = Workload::get(self.connection, Kind::Pod, &workload.name()).await?;
        }
        let original = Original { name: workload.name(), pod: bare_pod::as_written(&workload.value()) };
        let injected = injection::inject(&original.pod, &self.options.injection)
            .map_err(|error| workload.injection_error(error))?;
        original.store(self.connection, &self.options.injection.run).await?;
        let created = bare_pod::replace(self.connection, &workload, &injected.object).await?;
        self.note(&workload, &injected.notes);
        Ok(Prepared::new(created, injected))
    }
}
