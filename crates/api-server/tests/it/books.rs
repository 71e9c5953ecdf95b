//! The books on the metrics page.

use metrics_exporter_prometheus::PrometheusBuilder;
use watchbell_common::{
    ids::{EventId, JobId, TenantId},
    queue::{NewJob, QueueName},
};

use crate::house::{House, until};

#[tokio::test]
async fn the_books_and_the_depths_are_metrics() {
    // Of this thread, and the test runs on one: other tests count for themselves.
    let recorder = PrometheusBuilder::new().build_recorder();
    let (metrics, _here) = (recorder.handle(), metrics::set_default_local_recorder(&recorder));
    let mut house = House::embedded(&[]).await;
    house.start();
    let job = |number: u8| {
        let event = Some(EventId::derived(&[&[number]]));
        NewJob::new(JobId::derived(&[&[number]]), TenantId::DEFAULT, event, "x", b"payload".as_slice().into())
    };
    house.queue().push(QueueName::Intake, vec![job(1), job(2)]).await.unwrap();
    let expected = [
        "watchbell_events{tenant=\"default\",state=\"received\"} 2",
        "watchbell_events{tenant=\"default\",state=\"pending\"} 2",
        "watchbell_events{tenant=\"default\",state=\"delivered\"} 0",
        "watchbell_unaccounted{tenant=\"default\"} 0",
        "watchbell_jobs{queue=\"intake\",state=\"ready\"} 2",
        "watchbell_provision_ok 1",
    ];
    until("the metrics", async || {
        let page = metrics.render();
        expected.iter().all(|line| page.lines().any(|shown| shown == *line))
    })
    .await;
    house.stop().await;
}
