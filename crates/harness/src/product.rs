//! A running Watchbell: one process on SQLite, or one process per service on a real Redis and PostgreSQL.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use watchbell_common::testing::{PostgresServer, RedisServer};

use crate::{Process, eventually, free_address, process::binary};

/// How long a process may take until it is ready: debug builds on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A process of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Everything in one.
    Serve,
    SmtpIngestor,
    WebhookIngestor,
    AlertAnalyzer,
    Dispatcher,
    ApiServer,
    KeyGateway,
}

impl Service {
    /// The processes of a distributed installation. The API server first: it publishes the configuration.
    pub const DISTRIBUTED: [Self; 5] =
        [Self::ApiServer, Self::SmtpIngestor, Self::WebhookIngestor, Self::AlertAnalyzer, Self::Dispatcher];

    /// The name of its program.
    pub fn binary(self) -> &'static str {
        match self {
            Self::Serve => "watchbell",
            Self::SmtpIngestor => "watchbell-smtp-ingestor",
            Self::WebhookIngestor => "watchbell-webhook-ingestor",
            Self::AlertAnalyzer => "watchbell-alert-analyzer",
            Self::Dispatcher => "watchbell-dispatcher",
            Self::ApiServer => "watchbell-api-server",
            Self::KeyGateway => "watchbell-key-gateway",
        }
    }
}

#[derive(Debug)]
struct Running {
    service: Service,
    /// Where it answers `/readyz`.
    health: SocketAddr,
    process: Process,
}

/// The whole product; everything ends and is removed when it is dropped.
#[derive(Debug)]
pub struct Product {
    /// Where mail goes.
    pub smtp: SocketAddr,
    /// Where webhooks go.
    pub http: SocketAddr,
    /// Where `/metrics` of the API server is.
    pub api: SocketAddr,
    running: Vec<Running>,
    env: Vec<(String, String)>,
    redis: Option<RedisServer>,
    postgres: Option<(PostgresServer, SecretString)>,
    client: reqwest::Client,
    // Last, so that the processes are gone before their folder is.
    dir: tempfile::TempDir,
}

impl Product {
    /// `watchbell serve` on SQLite. An empty text stands for no provisioning file.
    pub async fn embedded(provision: &str) -> Self {
        Self::embedded_with(provision, &[]).await
    }

    /// `watchbell serve` on SQLite with more settings.
    pub async fn embedded_with(provision: &str, more: &[(&str, &str)]) -> Self {
        let mut product = Self::prepare(provision, None, None, more);
        product.start(Service::Serve);
        product.ready().await;
        product
    }

    /// `watchbell serve` on SQLite, before it was ever started.
    pub fn stopped_with(provision: &str, more: &[(&str, &str)]) -> Self {
        Self::prepare(provision, None, None, more)
    }

    /// One process per service, on a Redis and a PostgreSQL of its own.
    pub async fn distributed(provision: &str) -> Self {
        Self::distributed_with(provision, &[]).await
    }

    /// One process per service, with more settings.
    pub async fn distributed_with(provision: &str, more: &[(&str, &str)]) -> Self {
        let redis = RedisServer::start();
        let postgres = PostgresServer::start();
        let database = postgres.database();
        let mut product = Self::prepare(provision, Some(redis), Some((postgres, database)), more);
        for service in Service::DISTRIBUTED {
            product.start(service);
        }
        product.ready().await;
        product
    }

    fn prepare(
        provision: &str,
        redis: Option<RedisServer>,
        postgres: Option<(PostgresServer, SecretString)>,
        more: &[(&str, &str)],
    ) -> Self {
        let dir = tempfile::tempdir().expect("the machine has a folder for temporary files");
        let (smtp, http, api) = (free_address(), free_address(), free_address());
        let file = dir.path().join("provision.yaml");
        std::fs::write(&file, provision).expect("the test's folder takes files");
        let mut env: Vec<(String, String)> = [
            ("WATCHBELL_DATA_DIR", dir.path().join("data").display().to_string()),
            ("WATCHBELL_SMTP_LISTEN", smtp.to_string()),
            ("WATCHBELL_HTTP_LISTEN", http.to_string()),
            ("WATCHBELL_HTTP_API_LISTEN", api.to_string()),
            // Short, so that tests which kill a worker see its jobs again soon.
            ("WATCHBELL_QUEUE_LEASE", "3s".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        if !provision.is_empty() {
            env.push(("WATCHBELL_PROVISION_FILE".to_owned(), file.display().to_string()));
        }
        if let Some(redis) = &redis {
            env.push(("WATCHBELL_QUEUE_URL".to_owned(), redis.url()));
            env.push((
                "WATCHBELL_SECURITY_MASTER_KEY".to_owned(),
                "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned(),
            ));
        }
        if let Some(postgres) = &postgres {
            env.push(("WATCHBELL_DATABASE_URL".to_owned(), postgres.1.expose_secret().to_owned()));
        }
        for (name, value) in more {
            env.retain(|(known, _)| known != name);
            env.push(((*name).to_owned(), (*value).to_owned()));
        }
        let client = reqwest::Client::default();
        Self { smtp, http, api, running: Vec::new(), env, redis, postgres, client, dir }
    }

    /// Starts one more process of a service.
    pub fn start(&mut self, service: Service) {
        self.start_with(service, &[]);
    }

    /// Starts one more process of a service, with settings of its own.
    pub fn start_with(&mut self, service: Service, more: &[(&str, &str)]) {
        let (args, health): (&[&str], _) = match service {
            Service::Serve => (&["serve"], self.http),
            Service::WebhookIngestor => (&[], self.http),
            Service::ApiServer => (&[], self.api),
            Service::SmtpIngestor | Service::AlertAnalyzer | Service::Dispatcher | Service::KeyGateway => {
                (&[], free_address())
            }
        };
        let mut env = self.env.clone();
        env.push(("WATCHBELL_HTTP_HEALTH_LISTEN".to_owned(), health.to_string()));
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let process = Process::start(service.binary(), args, &env, self.dir.path());
        self.running.push(Running { service, health, process });
    }

    /// Waits until every process says that it can take work.
    ///
    /// # Panics
    /// When one does not in time; the text holds its log.
    pub async fn ready(&self) {
        for running in &self.running {
            let url = format!("http://{}/readyz", running.health);
            let started = std::time::Instant::now();
            while !self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                assert!(
                    started.elapsed() < START_WITHIN,
                    "{} is not ready after {START_WITHIN:?}:\n{}",
                    running.service.binary(),
                    running.process.log()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// The services that run, in the order in which they were started.
    pub fn services(&self) -> Vec<Service> {
        self.running.iter().map(|running| running.service).collect()
    }

    /// The process of a service.
    ///
    /// # Panics
    /// When this product does not run it.
    pub fn process(&mut self, service: Service) -> &mut Process {
        let running = self.running.iter_mut().find(|running| running.service == service);
        &mut running.expect("a test asks for services it started").process
    }

    /// The only process of an embedded product.
    pub fn serve(&mut self) -> &mut Process {
        self.process(Service::Serve)
    }

    /// Its Redis.
    pub fn redis(&mut self) -> &mut RedisServer {
        self.redis.as_mut().expect("a distributed product has one")
    }

    /// Its PostgreSQL.
    pub fn postgres(&self) -> &PostgresServer {
        &self.postgres.as_ref().expect("a distributed product has one").0
    }

    /// Where its store is, as the settings say it.
    pub fn database(&self) -> SecretString {
        self.postgres.as_ref().map_or_else(|| "sqlite".into(), |(_, database)| database.clone())
    }

    /// The folder of its Redis, if it has one.
    pub fn redis_dir(&self) -> Option<&Path> {
        self.redis.as_ref().map(RedisServer::dir)
    }

    /// The answer of an SQL query on the store of a distributed product; `None` while it does not answer.
    pub fn query(&self, query: &str) -> Option<String> {
        let (server, database) = self.postgres.as_ref().expect("a distributed product has one");
        server.query(database, query)
    }

    /// The folder with its data, provisioning file and logs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Replaces the provisioning file.
    pub fn provision(&self, yaml: &str) {
        std::fs::write(self.dir.path().join("provision.yaml"), yaml).expect("the test's folder takes files");
    }

    /// Sends a message and expects it to be accepted.
    pub async fn mail(&self, from: &str, to: &str, message: &str) {
        crate::mail::send(self.smtp, from, to, message).await.expect("the mail is accepted");
    }

    /// Posts JSON to a push token.
    pub async fn push(&self, token: &str, body: &Value) -> reqwest::Response {
        let url = format!("http://{}/api/v1/push/{token}", self.http);
        let request = self.client.post(url).header("content-type", "application/json").body(body.to_string());
        request.send().await.expect("the webhook door answers")
    }

    /// Where the API server answers.
    pub fn api_base(&self) -> String {
        format!("http://{}", if self.redis.is_some() { self.api } else { self.http })
    }

    /// The metrics of all processes, one behind the other.
    pub async fn metrics(&self) -> String {
        let mut all = String::new();
        for running in &self.running {
            let answer = self.client.get(format!("http://{}/metrics", running.health)).send().await;
            all += &answer.expect("every process answers").text().await.expect("metrics are text");
        }
        all
    }

    /// What every process printed and logged, by its name.
    pub fn words(&self) -> Vec<(String, String)> {
        let of = |running: &Running| {
            let name = running.service.binary();
            let (log, output) = (running.process.log(), running.process.output());
            [(format!("the log of {name}"), log), (format!("the output of {name}"), output)]
        };
        self.running.iter().flat_map(of).collect()
    }

    /// The text behind a path of the API server (or of `serve`).
    pub async fn get(&self, path: &str) -> String {
        let answer =
            self.client.get(format!("{}{path}", self.api_base())).send().await.expect("the API server answers");
        answer.text().await.expect("the answer is text")
    }

    /// Runs a `watchbell` command with this product's settings.
    pub fn command(&self, args: &[&str]) -> Output {
        Command::new(binary("watchbell"))
            .args(args)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the watchbell binary starts")
    }

    /// The default tenant's books, from `watchbell books`.
    pub fn books(&self) -> Value {
        let output = self.command(&["books", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        report["tenants"][0].clone()
    }

    /// Waits until nothing is pending, and returns the books.
    pub async fn settled(&self, at_most: Duration) -> Value {
        eventually("no event to be pending", at_most, || {
            let books = self.books();
            std::future::ready((books["pending"] == 0 && books["received"] != Value::Null).then_some(books))
        })
        .await
    }
}
