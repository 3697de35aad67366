//! The way to one cluster and one namespace of it.
//!
//! Every request goes through [`Connection::request`], which waits out an API server that is away for a
//! moment, so that no caller has to.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DynamicObject, ListParams},
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{
    Error, Kind,
    error::{has_code, is_transient},
};

/// How long an API server may be away before a request is given up.
const PATIENCE: Duration = Duration::from_secs(90);
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// On every node (Kubernetes: Well-Known Labels).
const ARCHITECTURE_LABEL: &str = "kubernetes.io/arch";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which cluster and namespace: kubectl's flags of the same names.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// A kubeconfig file; otherwise `KUBECONFIG`, `~/.kube/config`, or the pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// Otherwise the kubeconfig's current context.
    pub context: Option<String>,
    /// Otherwise the context's namespace, or `default`.
    pub namespace: Option<String>,
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub(crate) struct NodeState {
    /// `amd64` or `arm64` …
    pub(crate) architecture: Option<String>,
    /// Its kubelet has reported lately.
    pub(crate) is_heard_of: bool,
}

impl NodeState {
    fn of(node: &Node) -> Self {
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready");
        Self {
            architecture: node.labels().get(ARCHITECTURE_LABEL).cloned(),
            // A kubelet that is not ready says False and still runs pods; of one that is gone it is Unknown.
            is_heard_of: ready.is_none_or(|condition| condition.status != "Unknown"),
        }
    }
}

/// A namespace of a cluster that answers.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    context: String,
    namespace: String,
}

impl Connection {
    /// Connects, and asks the API server one question to know that it answers.
    pub async fn open(options: &ConnectionOptions) -> Result<Self, Error> {
        let (mut config, context) = configuration(options).await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| Error::Configuration(error.into()))?;
        if let Err(error) = client.apiserver_version().await {
            // A server that refuses this question is a server that answers.
            if is_transient(&error) {
                return Err(Error::Unreachable { context, source: Box::new(error) });
            }
        }
        Ok(Self { client, context, namespace })
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The kubeconfig's context, for messages.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The same cluster, and another namespace.
    #[must_use]
    pub(crate) fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self.clone() }
    }

    /// What is known of the nodes, by their names. Needs `list` on them; without, nothing is.
    pub(crate) async fn nodes(&self) -> BTreeMap<String, NodeState> {
        let nodes = Api::<Node>::all(self.client.clone()).list(&ListParams::default()).await;
        let nodes = nodes.map(|nodes| nodes.items).unwrap_or_default();
        nodes.iter().map(|node| (node.name_any(), NodeState::of(node))).collect()
    }

    /// The nodes that answer, by name; none where they may not be listed.
    pub async fn node_names(&self) -> Vec<String> {
        let nodes = self.nodes().await;
        nodes.into_iter().filter(|(_, state)| state.is_heard_of).map(|(name, _)| name).collect()
    }

    /// The architecture that every node has, `amd64` or `arm64` …; none where nodes differ or may not be listed.
    pub async fn node_architecture(&self) -> Option<String> {
        let nodes = Api::<Node>::all(self.client.clone()).list_metadata(&ListParams::default()).await.ok()?;
        let mut architectures: Vec<&String> =
            nodes.items.iter().filter_map(|node| node.labels().get(ARCHITECTURE_LABEL)).collect();
        architectures.sort();
        architectures.dedup();
        match architectures.as_slice() {
            [architecture] => Some((*architecture).clone()),
            _ => None,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn workloads(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.api_resource())
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        self.api()
    }

    pub(crate) fn config_maps(&self) -> Api<ConfigMap> {
        self.api()
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Whether the namespace is known not to exist. Needs `get` on it; without, the answer is no.
    pub(crate) async fn namespace_is_missing(&self) -> bool {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        matches!(namespaces.get_metadata(&self.namespace).await, Err(error) if has_code(&error, 404))
    }

    /// Sends a request, again while the API server is away; its error names the verb and the object.
    pub(crate) async fn request<T, F>(
        &self,
        verb: &'static str,
        object: &str,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = kube::Result<T>>,
    {
        let given_up = Instant::now() + PATIENCE;
        loop {
            match send().await {
                Err(error) if is_transient(&error) && Instant::now() < given_up => {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => {
                    return result
                        .map_err(|error| Error::of_request(error, &self.context, verb, object.to_owned()));
                }
            }
        }
    }

    /// The same, with "not found" as none.
    pub(crate) async fn request_optional<T, F>(
        &self,
        verb: &'static str,
        object: &str,
        send: impl Fn() -> F,
    ) -> Result<Option<T>, Error>
    where
        F: Future<Output = kube::Result<T>>,
    {
        self.request(verb, object, || async {
            match send().await {
                Ok(value) => Ok(Some(value)),
                Err(error) if has_code(&error, 404) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }
}

async fn configuration(options: &ConnectionOptions) -> Result<(Config, String), Error> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match kubeconfig {
        Ok(kubeconfig) => kubeconfig,
        // In a pod there is no file, but a service account.
        Err(error) if options.kubeconfig.is_none() && options.context.is_none() => {
            let config = Config::incluster().map_err(|_| Error::Configuration(error.into()))?;
            return Ok((config, "in-cluster".to_owned()));
        }
        Err(error) => return Err(Error::Configuration(error.into())),
    };
    let context = options.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    let present: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    if !present.contains(&context.as_str()) {
        return Err(Error::NoSuchContext { name: context, present: present.join(", ") });
    }
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| Error::Configuration(error.into()))?;
    Ok((config, context))
}
