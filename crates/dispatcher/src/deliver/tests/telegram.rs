//! The platform's limits where they act: many chats of one bot, against a Bot API that counts as Telegram documents
//! and keeps the time of our clock.

use std::{collections::BTreeMap, sync::Mutex};

use axum::{Json, extract::State};
use serde_json::{Value, json};
use watchbell_common::{
    alert::Alert,
    clock::{UnixMillis, millis},
};

use super::*;

/// Groups have negative ids. Each gets more than a minute's worth.
const GROUPS: i64 = 2;
const TO_EACH_GROUP: usize = 25;
/// More people than the bot can write to in a second.
const PEOPLE: i64 = 35;

/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>: calls, within milliseconds. The
/// one a second of a chat may be exceeded for a moment; over a minute it holds.
const OF_A_BOT: (usize, UnixMillis) = (30, 1_000);
const OF_A_CHAT: (usize, UnixMillis) = (60, 60_000);
const OF_A_GROUP: (usize, UnixMillis) = (20, 60_000);

struct World {
    clock: ManualClock,
    /// When it was called, and for which chat.
    calls: Vec<(UnixMillis, i64)>,
    refused: usize,
    /// What the next call is told to wait, in seconds, however few there were.
    ban: Option<u64>,
}

impl World {
    fn exceeds(&self, (most, within): (usize, UnixMillis), chat: Option<i64>) -> bool {
        let since = self.clock.now_ms() - within;
        let counts = |(at, to): &&(UnixMillis, i64)| *at > since && chat.is_none_or(|chat| *to == chat);
        self.calls.iter().filter(counts).count() > most
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, Json(request): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut world = world.lock().unwrap();
    let chat = request["chat_id"].as_i64().unwrap();
    let now = world.clock.now_ms();
    world.calls.push((now, chat));
    let too_many = world.exceeds(OF_A_BOT, None)
        || world.exceeds(OF_A_CHAT, Some(chat))
        || (chat < 0 && world.exceeds(OF_A_GROUP, Some(chat)));
    let Some(wait) = world.ban.take().or(too_many.then_some(30)) else {
        let result = json!({ "message_id": world.calls.len(), "chat": { "id": chat } });
        return (StatusCode::OK, Json(json!({ "ok": true, "result": result })));
    };
    world.refused += 1;
    let description = format!("Too Many Requests: retry after {wait}");
    let parameters = json!({ "retry_after": wait });
    let reply = json!({ "ok": false, "error_code": 429, "description": description, "parameters": parameters });
    (StatusCode::TOO_MANY_REQUESTS, Json(reply))
}

/// A bot with a channel to each of some chats, and the deliverer that serves them.
struct Chats {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
    document: Document,
    queue: TestQueue,
    tools: Tools,
    deliver: Deliver,
    _server: JoinSet<()>,
}

impl Chats {
    async fn of(ids: impl IntoIterator<Item = i64>) -> Self {
        let clock = ManualClock::at(NOW);
        let world = World { clock: clock.clone(), calls: Vec::new(), refused: 0, ban: None };
        let world = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap()).parse().ok();
        let router = Router::new().fallback(post(answer)).with_state(world.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut document = testing::document();
        let tenant = &mut document.tenants[0];
        tenant.bots = vec![testing::bot(BotId(1), "telegram", &[("bot_token", "123456:hunter2")])];
        tenant.rules.clear();
        let example = tenant.channels.swap_remove(0);
        tenant.channels = (1..).map(ChannelId).zip(ids).map(|(id, chat)| to_chat(example.clone(), id, chat)).collect();
        let queue = testing::queue_by(&clock);
        let tools = Tools { telegram_api: api, clock: Arc::new(clock.clone()), ..testing::tools() };
        let deliver = deliver_by(&clock, &document, &queue, tools.clone());
        Self { clock, world, document, queue, tools, deliver, _server: server }
    }

    fn refused(&self) -> usize {
        self.world.lock().unwrap().refused
    }

    fn calls(&self) -> usize {
        self.world.lock().unwrap().calls.len()
    }
}

fn to_chat(example: watchbell_common::config::Channel, id: ChannelId, chat: i64) -> watchbell_common::config::Channel {
    let push_token = testing::vault().seal(&Place::push_token(TenantId::DEFAULT, id), &id.to_string().into());
    let (platform, target) = ("telegram".to_owned(), chat.to_string());
    watchbell_common::config::Channel { id, platform, target, push_token, bot: Some(BotId(1)), ..example }
}

/// The delivery of an alert of its own.
fn message(channel: ChannelId, number: usize, severity: Severity) -> Lease {
    let mut alert = testing::alert();
    alert.id = Alert::id_of(TenantId::DEFAULT, &format!("{channel} {number}"));
    alert.analysis.severity = severity;
    let delivery = delivery_id(alert.event.id, channel, Part::Message);
    let payload =
        DeliverPayload { delivery, channel, alert: alert.clone(), count: 1, since: None, update: false }.encode();
    testing::lease(QueueName::Deliver, &alert, payload)
}

#[tokio::test]
async fn a_storm_to_many_chats_of_a_bot_provokes_no_refusal() {
    let groups = (1..=GROUPS).map(|id| -id);
    let bot = Chats::of(groups.clone().chain(1..=PEOPLE)).await;
    let left = groups.map(|_| TO_EACH_GROUP).chain((1..=PEOPLE).map(|_| 1));
    // When each channel's turn is, and how many messages it still has to send.
    let mut lanes: BTreeMap<_, _> = (1..).map(ChannelId).zip(left.map(|left| (NOW, left))).collect();
    let total: usize = lanes.values().map(|(_, left)| left).sum();
    while let Some((&channel, &(due, left))) = lanes.iter().min_by_key(|(_, (due, _))| *due) {
        bot.clock.set(due);
        let next = match bot.deliver.step(&message(channel, left, Severity::Warning)).await.verdict {
            Verdict::Complete { .. } => (due, left - 1),
            // A wait has microseconds, the clock has not.
            Verdict::Defer { after, scope: Scope::Lane } => (due + millis(after) + 1, left),
            verdict => panic!("{verdict:?}"),
        };
        lanes.insert(channel, next);
        lanes.retain(|_, (_, left)| *left > 0);
        assert_eq!(bot.refused(), 0, "after {} of {total} messages", bot.calls());
    }
    assert_eq!(bot.calls(), total);
    let took = bot.clock.now_ms() - NOW;
    assert!((30_000..120_000).contains(&took), "the groups' limits were reached, and used: {took} ms");
}

#[tokio::test]
async fn when_telegram_limits_one_channel_all_channels_of_the_bot_wait_in_every_process() {
    use Severity::{Critical, Warning};
    let bot = Chats::of([-1, -2]).await;
    bot.world.lock().unwrap().ban = Some(17);
    let [one, other] = [ChannelId(1), ChannelId(2)];
    let outcome = bot.deliver.step(&message(one, 1, Warning)).await;
    assert_eq!(said(&outcome).1, AttemptOutcome::RateLimited);
    bot.clock.advance(Duration::from_secs(3));
    let another_process = deliver_by(&bot.clock, &bot.document, &bot.queue, bot.tools.clone());
    for deliver in [&bot.deliver, &another_process] {
        for (channel, severity) in [(one, Warning), (one, Critical), (other, Warning), (other, Critical)] {
            let outcome = deliver.step(&message(channel, 2, severity)).await;
            let Verdict::Defer { after, scope: Scope::Lane } = outcome.verdict else { panic!("{outcome:?}") };
            assert_eq!((after, bot.calls()), (Duration::from_secs(14), 1), "{channel} {severity}");
        }
    }
    bot.clock.advance(Duration::from_secs(14));
    for channel in [one, other] {
        let outcome = bot.deliver.step(&message(channel, 2, Critical)).await;
        assert_eq!(said(&outcome).1, AttemptOutcome::Delivered);
    }
}
