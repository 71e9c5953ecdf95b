//! What the tests share: an installation with a queue and a place for the store, and waiting for conditions.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watchbell_api_server::StoreSlot;
use watchbell_common::{
    clock::SystemClock,
    config::ConfigCell,
    crypto::Vault,
    http,
    queue::{self, Queue, worker::run_tender},
    settings::Settings,
    shared::Shared,
    store::Store,
    testing::RedisServer,
};

/// One installation. Everything ends with it.
pub(crate) struct House {
    pub(crate) redis: RedisServer,
    pub(crate) shared: Shared,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) slot: StoreSlot,
    stop: CancellationToken,
    running: JoinSet<anyhow::Result<()>>,
}

impl House {
    /// An installation whose store is `database`, with the settings given as environment names without the prefix.
    pub(crate) async fn build(database: &SecretString, settings: &[(&str, &str)]) -> Self {
        let (redis, dir) = (RedisServer::start(), tempfile::tempdir().unwrap());
        let pair = |name: &str, value: &str| (format!("WATCHBELL_{name}"), value.to_owned());
        let folder = dir.path().to_str().unwrap();
        let mut env = vec![
            pair("QUEUE_URL", &redis.url()),
            pair("DATABASE_URL", secrecy::ExposeSecret::expose_secret(database)),
            pair("DATA_DIR", folder),
        ];
        env.extend(settings.iter().map(|(name, value)| pair(name, &value.replace("{dir}", folder))));
        let settings = Arc::new(Settings::load_with(None, &env, &[]).unwrap());
        let clock = Arc::new(SystemClock);
        let queue = queue::connect(&settings, clock.clone()).await.unwrap();
        let vault = Arc::new(Vault::from_data_dir(dir.path()).unwrap());
        let shared = Shared { settings, clock, queue, vault, config: Arc::new(ConfigCell::default()) };
        let (slot, stop) = (StoreSlot::default(), CancellationToken::new());
        Self { redis, shared, dir, slot, stop, running: JoinSet::new() }
    }

    pub(crate) async fn embedded(settings: &[(&str, &str)]) -> Self {
        Self::build(&"sqlite".into(), settings).await
    }

    /// Starts the api-server, and what every process runs beside its services.
    pub(crate) fn start(&mut self) {
        self.running.spawn(run_tender(self.shared.queue.clone(), self.stop.clone()));
        self.running.spawn(watchbell_api_server::run(self.shared.clone(), None, self.slot.clone(), self.stop.clone()));
    }

    /// Starts the API too, and says where it listens.
    pub(crate) async fn start_api(&mut self) -> SocketAddr {
        self.start();
        let listener = http::bind("127.0.0.1:0".parse().unwrap(), "test").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = watchbell_api_server::router(&self.shared, &self.slot);
        let (settings, stop) = (self.shared.settings.clone(), self.stop.clone());
        self.running.spawn(async move { http::serve(listener, router, &settings.http, stop).await });
        address
    }

    /// Starts another api-server on the same store and queue, as a second process would be, and says where it listens.
    pub(crate) async fn start_another_api(&mut self) -> SocketAddr {
        self.slot = StoreSlot::default();
        self.start_api().await
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap().unwrap();
        }
        self.stop = CancellationToken::new();
    }

    /// How it ended by itself.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let ended = tokio::time::timeout(LONG, self.running.join_next()).await.unwrap();
        ended.unwrap().unwrap()
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.shared.settings.database.url, self.dir.path()).await.unwrap()
    }

    pub(crate) fn queue(&self) -> &dyn Queue {
        &*self.shared.queue
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("w.yaml")
    }

    /// The names of the channels that services would see.
    pub(crate) async fn published_channels(&self) -> Vec<String> {
        let Some(published) = self.queue().config_newer(0).await.unwrap() else { return Vec::new() };
        let document: watchbell_common::config::Document = serde_json_from(&published.document);
        document.tenants[0].channels.iter().map(|channel| channel.name.clone()).collect()
    }
}

fn serde_json_from<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).unwrap()
}

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// Runs each test on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name("sqlite".into()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(watchbell_common::testing::database()).await;
            })+
        }
    };
}
pub(crate) use on_both;
