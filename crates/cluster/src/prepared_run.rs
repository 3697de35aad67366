//! What a run left prepared in the cluster, found by its marks, and how it is put back.
//!
//! Everything is read from the cluster itself, never from the memory of the podcov that prepared it: the same
//! code ends a run that goes well and cleans up after one that was killed.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    NamespaceResourceScope,
    api::apps::v1::{ControllerRevision, ReplicaSet},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde::de::DeserializeOwned;

use crate::{
    Connection, Error, Event, Kind, Observer, RunId, Workload,
    agent_config_map::delete_config_map,
    bare_pod::{self, Original},
    identity::RUN_LABEL,
    injection,
    rollout::{self, Goal},
    target,
};

/// How often a change by somebody else may come between a read and a write.
const MAX_CONFLICTS: usize = 20;

/// One run's traces in a namespace.
#[derive(Clone, Debug)]
pub struct PreparedRun {
    /// The run.
    pub run: RunId,
    /// Prepared workloads, and bare Pods whose original is kept.
    pub workloads: Vec<Workload>,
    originals: Vec<Original>,
    config_maps: Vec<String>,
}

impl PreparedRun {
    /// Every run with traces in the namespace, or the one named.
    pub async fn find(connection: &Connection, run: Option<&RunId>) -> Result<Vec<Self>, Error> {
        let selector = run.map_or_else(|| RUN_LABEL.to_owned(), RunId::selector);
        let mut runs = BTreeMap::new();
        for workload in target::list(connection, Some(&selector)).await? {
            if let Some(preparation) = workload.preparation() {
                Self::entry(&mut runs, preparation.run).workloads.push(workload);
            }
        }
        let api = connection.config_maps();
        let parameters = ListParams::default().labels(&selector);
        for config_map in connection.request("list", "configmaps", || api.list(&parameters)).await? {
            let Some(run) = config_map.labels().get(RUN_LABEL).and_then(|label| RunId::new(label)) else {
                continue;
            };
            let found = Self::entry(&mut runs, run);
            found.originals.extend(Original::of(&config_map));
            found.config_maps.push(config_map.name_any());
        }
        Ok(runs.into_values().collect())
    }

    fn entry(runs: &mut BTreeMap<RunId, Self>, run: RunId) -> &mut Self {
        runs.entry(run.clone()).or_insert_with(|| Self {
            run,
            workloads: Vec::new(),
            originals: Vec::new(),
            config_maps: Vec::new(),
        })
    }

    /// Only these workloads of it; none when none is among them.
    #[must_use]
    pub fn restricted_to(mut self, workloads: &[Workload]) -> Option<Self> {
        self.workloads.retain(|own| workloads.iter().any(|other| other.same_object(own)));
        self.originals.retain(|original| {
            workloads.iter().any(|other| other.kind() == Kind::Pod && other.name() == original.name)
        });
        (!self.workloads.is_empty() || !self.originals.is_empty()).then_some(self)
    }

    /// Puts every workload back. Goes on after a failure; the first one is returned.
    ///
    /// The prepared pods end by this; [`Self::wait_until_restored`] waits for the others.
    pub async fn put_back(&self, connection: &Connection, observer: &dyn Observer) -> Result<(), Error> {
        let mut first_failure = Ok(());
        for workload in self.workloads.iter().filter(|workload| workload.kind() != Kind::Pod) {
            let result = self.restore(connection, workload, observer).await;
            first_failure = first_failure.and(result);
        }
        for original in &self.originals {
            let result = self.restore_pod(connection, original).await;
            first_failure = first_failure.and(result);
        }
        first_failure
    }

    async fn restore(
        &self,
        connection: &Connection,
        workload: &Workload,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        for _ in 0..MAX_CONFLICTS {
            let Some(current) = Workload::find(connection, workload.kind(), &workload.name()).await? else {
                observer.event(Event::Note(format!("{} was deleted meanwhile", workload.display_name())));
                return Ok(());
            };
            if current.preparation().is_none_or(|preparation| preparation.run != self.run) {
                return Ok(());
            }
            let original =
                injection::eject(&current.value()).map_err(|error| current.injection_error(error))?;
            if let Some(restored) = current.replace(connection, &original).await? {
                return rollout::replace_pods(connection, &restored, &Goal::Restored).await;
            }
        }
        Err(too_many_conflicts(workload))
    }

    async fn restore_pod(&self, connection: &Connection, original: &Original) -> Result<(), Error> {
        match Workload::find(connection, Kind::Pod, &original.name).await? {
            Some(current) if current.preparation().is_some() => {
                bare_pod::replace(connection, &current, &original.pod).await.map(drop)
            }
            // Somebody created it again.
            Some(_) => Ok(()),
            None => bare_pod::create(connection, &original.name, &original.pod).await.map(drop),
        }
    }

    /// Waits until the pods of the original templates are ready.
    pub async fn wait_until_restored(
        &self,
        connection: &Connection,
        timeout: Duration,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let mut workloads = Vec::new();
        for workload in &self.workloads {
            workloads.extend(Workload::find(connection, workload.kind(), &workload.name()).await?);
        }
        rollout::wait(connection, &workloads, &Goal::Restored, timeout, observer).await
    }

    /// Takes away the revisions of prepared templates, to which `kubectl rollout undo` would go back. Pods that
    /// such a revision still holds end by this: a Deployment keeps them while its original pods are not ready.
    pub async fn remove_revisions(&self, connection: &Connection) -> Result<(), Error> {
        if self.is_still_prepared(connection).await? {
            return Ok(());
        }
        delete_owned::<ReplicaSet>(connection, &self.run).await?;
        delete_owned::<ControllerRevision>(connection, &self.run).await
    }

    /// Takes away what the pods needed and the originals that were kept, once all of them are gone.
    pub async fn clean_up(&self, connection: &Connection) -> Result<(), Error> {
        if self.is_still_prepared(connection).await? {
            return Ok(());
        }
        for name in &self.config_maps {
            delete_config_map(connection, name).await?;
        }
        Ok(())
    }

    async fn is_still_prepared(&self, connection: &Connection) -> Result<bool, Error> {
        Ok(!target::list(connection, Some(&self.run.selector())).await?.is_empty())
    }
}

pub(crate) fn too_many_conflicts(workload: &Workload) -> Error {
    Error::Rollout {
        object: workload.display_name(),
        reason: format!("somebody else changed it {MAX_CONFLICTS} times while it was being changed"),
        log: None,
    }
}

/// Deletes the run's objects of a kind that a controller owns.
async fn delete_owned<K>(connection: &Connection, run: &RunId) -> Result<(), Error>
where
    K: kube::Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    K::DynamicType: Default,
{
    let api = connection.api::<K>();
    let kind = K::plural(&K::DynamicType::default()).into_owned();
    let parameters = ListParams::default().labels(&run.selector());
    let objects = connection.request("list", &kind, || api.list(&parameters)).await?;
    for object in objects.items.iter().filter(|object| !object.owner_references().is_empty()) {
        let name = object.name_any();
        let parameters = DeleteParams::background();
        connection
            .request_optional("delete", &format!("{kind}/{name}"), || api.delete(&name, &parameters))
            .await?;
    }
    Ok(())
}
