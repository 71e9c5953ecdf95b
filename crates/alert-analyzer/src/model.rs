//! Fifth stage, the place of the language model. No model can be configured yet, so the deterministic analysis
//! is final.
//!
//! The order of things is fixed by two promises: no alert waits for the model longer than `ai.max_wait`, and the
//! model hides nothing. So this stage comes last, after mutes, rules and identity, and what it may change is
//! bounded: raise the severity, add words; never the status, the fingerprint or a lower severity. An answer that
//! comes after the wait does not hold up the event: the route job leaves with the rules' analysis, and the answer
//! becomes an [`EnrichPayload`](watchbell_common::payload::EnrichPayload) on
//! [`QueueName::Enrich`](watchbell_common::queue::QueueName::Enrich), outside the books, whose handler updates the
//! messages that already went out.

use watchbell_common::alert::Analysis;

/// The analysis that leaves with the event.
pub(crate) fn refine(by_rules: Analysis) -> Analysis {
    by_rules
}
