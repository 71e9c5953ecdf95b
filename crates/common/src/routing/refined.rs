//! Routing with what a language model said beside the rules: the same channels, and perhaps more.
//!
//! Matchers never see the model's words. They see the rules' analysis, and a second time the rules' analysis with the
//! severity that the model raised; an alert goes to the channels of both. The union is what makes it safe: the first
//! rule that matches a raised severity may name other channels, or a silence may only be for what is critical.

use super::{CompiledTenant, REASONS_MAX, Routing};
use crate::{
    alert::{Alert, Analysis},
    clock::UnixMillis,
};

impl CompiledTenant {
    /// [`CompiledTenant::route`] for an alert of which `alert.analysis` is the rules' and `refined` what a model made
    /// of it. Whatever `refined` holds, no channel of the rules' routing is missing, and the severity is not lower.
    pub fn route_with(&self, alert: &Alert, refined: Option<&Analysis>, now_ms: UnixMillis) -> Routing {
        let mut routing = self.route(alert, now_ms);
        let Some(refined) = refined else { return routing };
        // A silence is a person's word about this alert, however bad it is.
        if routing.silenced.is_none() && refined.severity > alert.analysis.severity {
            self.raise(&mut routing, alert, refined, now_ms);
        }
        let severity = routing.severity;
        let status = alert.analysis.status;
        routing.analysis = Some(Analysis { severity, status, ..refined.clone() });
        routing
    }

    fn raise(&self, routing: &mut Routing, alert: &Alert, refined: &Analysis, now_ms: UnixMillis) {
        let (before, after) = (alert.analysis.severity, refined.severity);
        let mut raised = alert.clone();
        raised.analysis.severity = after;
        let raised = self.route(&raised, now_ms);
        routing.severity = routing.severity.max(raised.severity);
        routing.raised = raised.channels.into_iter().filter(|channel| !routing.channels.contains(channel)).collect();
        let also = raised.rules.into_iter().filter(|rule| !routing.rules.contains(rule)).collect::<Vec<_>>();
        routing.rules.extend(also);
        routing.rules.truncate(REASONS_MAX);
        let reason = match routing.raised.as_slice() {
            [] => format!("the model raised the severity from {before} to {after}"),
            added => {
                format!("the model raised the severity from {before} to {after}: also goes to {}", self.names(added))
            }
        };
        routing.reasons.truncate(REASONS_MAX - 1);
        routing.reasons.push(reason);
        routing.channels.extend(&routing.raised);
        if !routing.channels.is_empty() {
            routing.ending = None;
        }
    }
}
