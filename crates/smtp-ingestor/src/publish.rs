//! Where accepted mail goes: the one thing that a session needs besides its limits.

use std::{future::Future, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use watchbell_common::{
    crypto::hex,
    ids::JobId,
    payload::{AlertPayload, Content, Payload as _},
    queue::{KEY_MAX_BYTES, NewJob, Queue, QueueError, QueueName},
};

/// Takes mail over from a session.
pub trait Publish: Send + Sync + 'static {
    /// Returns `Ok` when the mail is durable, and only then. After an error the sender is asked to try again.
    fn publish(&self, mail: AlertPayload) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// Publishes to [`QueueName::Intake`].
pub(crate) struct Intake(pub(crate) Arc<dyn Queue>);

impl Publish for Intake {
    async fn publish(&self, mail: AlertPayload) -> Result<(), QueueError> {
        let job = job(&mail);
        drop(mail); // Its content was copied into the payload: one copy waits for the push, not two.
        self.0.push(QueueName::Intake, vec![job]).await.map(drop)
    }
}

fn job(mail: &AlertPayload) -> NewJob {
    let head = &mail.head;
    let sender = match &head.content {
        Content::Mail(envelope) => envelope.mail_from.as_str(),
        Content::Item(_) => "",
    };
    let id = JobId::from_uuid(head.event.uuid());
    NewJob::new(id, head.tenant, Some(head.event), lane(sender), mail.encode())
}

/// Whose turn it is at intake: each envelope sender has a lane, and so has the null sender.
fn lane(sender: &str) -> String {
    match sender.to_lowercase() {
        none if none.is_empty() => "<>".to_owned(),
        short if short.len() <= KEY_MAX_BYTES => short,
        long => hex(digest(&SHA256, long.as_bytes()).as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        ids::{EventId, TenantId},
        payload::{Envelope, IntakeHead},
    };

    use super::*;

    #[test]
    fn the_job_of_a_mail_carries_all_of_it_and_belongs_to_its_event() {
        let event = EventId::at(1_795_295_524_584);
        let envelope = Envelope { mail_from: "Ops@x".into(), rcpt_to: vec!["a@x".into()], ..Envelope::default() };
        let head = IntakeHead {
            event,
            tenant: TenantId::DEFAULT,
            received_at: 1_795_295_524_584,
            peer: None,
            channel: None,
            content: Content::Mail(envelope),
        };
        let mail = AlertPayload { head, raw: b"Subject: x\r\n\r\n\0\xff".as_slice().into() };
        let job = job(&mail);
        assert_eq!((job.id.uuid(), job.event, job.lane.as_str()), (event.uuid(), Some(event), "ops@x"));
        assert_eq!(AlertPayload::decode(&job.payload).unwrap(), mail);
    }

    #[test]
    fn every_sender_has_a_lane_that_fits() {
        assert_eq!(lane(""), "<>");
        assert_eq!(lane("Ops@Example.org"), "ops@example.org");
        let (one, other) = (lane(&"a".repeat(500)), lane(&"b".repeat(500)));
        assert_ne!(one, other);
        assert!(one.len() <= KEY_MAX_BYTES);
    }
}
